// Answers for the DNS test server, put together octet by octet, without the code under test.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace steerd::probers::test {

using WireRecord = std::vector<std::uint8_t>;

struct AnswerParts {
    std::uint8_t rcode = 0;
    std::vector<WireRecord> answer;
    std::vector<WireRecord> authority;
};

/// A record of class IN; `owner` without escapes.
WireRecord record(const std::string& owner, std::uint16_t type, std::uint32_t ttl,
                  const std::vector<std::uint8_t>& rdata);
WireRecord a_record(const std::string& owner, std::uint32_t ttl, const std::string& address);
WireRecord cname_record(const std::string& owner, std::uint32_t ttl, const std::string& target);
/// With a minimum of 60.
WireRecord soa_record(const std::string& owner, std::uint32_t ttl);

/// The response to a query: its id and question, then these records.
std::vector<std::uint8_t> answer_to(const std::vector<std::uint8_t>& query,
                                    const AnswerParts& parts);
/// An empty response with TC.
std::vector<std::uint8_t> truncated_to(const std::vector<std::uint8_t>& query);

/// The type that a query asks for.
std::uint16_t asked_type(const std::vector<std::uint8_t>& query);

}  // namespace steerd::probers::test
