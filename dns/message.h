// Messages as a client sees them, for explain, the dns prober and tests: compose a query, take a
// response apart. RFC 1035 §4.1, RFC 6891, RFC 7871 (client side), RFC 5001.
// For octets from anybody: no loop, no read past the end, memory bounded by the message's size.
// Deliberately not on the packet path: it allocates. Thread rule: pure functions on values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "dns/name.h"
#include "dns/response.h"
#include "dns/types.h"

namespace steerd::dns {

struct Record {
    Section section{};
    Name owner;
    RrType type{};
    RrClass rrclass{};
    Ttl ttl;
    std::vector<std::uint8_t> rdata;  // names in it uncompressed

    [[nodiscard]] std::string rdata_text() const;
    /// "www.example.com. 60 IN A 192.0.2.1"
    [[nodiscard]] std::string text() const;

    friend bool operator==(const Record&, const Record&) = default;
};

struct Question {
    Name name;
    RrType type{};
    RrClass rrclass{};

    friend bool operator==(const Question&, const Question&) = default;
};

/// The OPT of a message.
struct MessageEdns {
    std::uint16_t udp_size = 0;
    std::uint8_t version = 0;
    bool dnssec_ok = false;
    std::optional<base::IpPrefix> subnet;  // nullopt also when the option was not well-formed
    std::uint8_t subnet_scope = 0;
    std::optional<std::vector<std::uint8_t>> nsid;

    friend bool operator==(const MessageEdns&, const MessageEdns&) = default;
};

struct Message {
    std::uint16_t id = 0;
    Opcode opcode = Opcode::Query;
    Rcode rcode = Rcode::NoError;  // with the upper bits of the OPT
    bool response = false;
    bool authoritative = false;
    bool truncated = false;
    bool recursion_desired = false;
    bool recursion_available = false;
    bool authentic_data = false;
    bool checking_disabled = false;
    std::vector<Question> questions;
    std::vector<Record> records;  // in the order of the message, without the OPT
    std::optional<MessageEdns> edns;

    /// The records of one section, in order.
    [[nodiscard]] std::vector<Record> section(Section section) const;
};

/// The whole of `octets` as one message; the error says which part could not be read.
[[nodiscard]] base::Result<Message, std::string> parse_message(
    std::span<const std::uint8_t> octets);

struct QueryEdns {
    std::uint16_t udp_size = 1232;
    std::uint8_t version = 0;
    bool dnssec_ok = false;
    std::optional<base::IpPrefix> subnet;
    bool nsid = false;
};

struct QueryOptions {
    std::uint16_t id = 0;
    bool recursion_desired = false;
    bool checking_disabled = false;
    RrClass rrclass = RrClass::IN;
    std::optional<QueryEdns> edns;
};

[[nodiscard]] std::vector<std::uint8_t> compose_query(NameView name, RrType type,
                                                      const QueryOptions& options = {});

}  // namespace steerd::dns
