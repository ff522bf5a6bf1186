#include "dns_answers.h"

#include "base/ip.h"

namespace steerd::probers::test {

namespace {

constexpr std::uint16_t kA = 1;
constexpr std::uint16_t kCname = 5;
constexpr std::uint16_t kSoa = 6;
constexpr std::uint16_t kAaaa = 28;

void put16(std::vector<std::uint8_t>& out, std::size_t value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value));
}

void put_name(std::vector<std::uint8_t>& out, const std::string& name) {
    for (std::size_t at = 0; at < name.size();) {
        const std::size_t dot = std::min(name.find('.', at), name.size());
        out.push_back(static_cast<std::uint8_t>(dot - at));
        out.insert(out.end(), name.begin() + static_cast<std::ptrdiff_t>(at),
                   name.begin() + static_cast<std::ptrdiff_t>(dot));
        at = dot + 1;
    }
    out.push_back(0);
}

std::size_t question_end(const std::vector<std::uint8_t>& query) {
    std::size_t at = 12;
    while (query.at(at) != 0) {
        at += 1U + query.at(at);
    }
    return at + 5;
}

}  // namespace

WireRecord record(const std::string& owner, std::uint16_t type, std::uint32_t ttl,
                  const std::vector<std::uint8_t>& rdata) {
    WireRecord out;
    put_name(out, owner);
    put16(out, type);
    put16(out, 1);
    put16(out, ttl >> 16);
    put16(out, ttl & 0xFFFF);
    put16(out, rdata.size());
    out.insert(out.end(), rdata.begin(), rdata.end());
    return out;
}

WireRecord a_record(const std::string& owner, std::uint32_t ttl, const std::string& address) {
    const auto parsed = base::IpAddress::parse(address).value();
    const auto octets = parsed.octets();
    return record(owner, parsed.is_v4() ? kA : kAaaa, ttl, {octets.begin(), octets.end()});
}

WireRecord cname_record(const std::string& owner, std::uint32_t ttl, const std::string& target) {
    std::vector<std::uint8_t> rdata;
    put_name(rdata, target);
    return record(owner, kCname, ttl, rdata);
}

WireRecord soa_record(const std::string& owner, std::uint32_t ttl) {
    std::vector<std::uint8_t> rdata;
    put_name(rdata, "ns1.example.com");
    put_name(rdata, "hostmaster.example.com");
    for (const std::size_t number : {1, 3600, 600, 86400, 60}) {
        put16(rdata, number >> 16);
        put16(rdata, number & 0xFFFF);
    }
    return record(owner, kSoa, ttl, rdata);
}

std::vector<std::uint8_t> answer_to(const std::vector<std::uint8_t>& query,
                                    const AnswerParts& parts) {
    std::vector<std::uint8_t> out = {query[0], query[1], 0x81,
                                     static_cast<std::uint8_t>(0x80 | parts.rcode)};
    put16(out, 1);
    put16(out, parts.answer.size());
    put16(out, parts.authority.size());
    put16(out, 0);
    out.insert(out.end(), query.begin() + 12,
               query.begin() + static_cast<std::ptrdiff_t>(question_end(query)));
    for (const auto* section : {&parts.answer, &parts.authority}) {
        for (const WireRecord& one : *section) {
            out.insert(out.end(), one.begin(), one.end());
        }
    }
    return out;
}

std::vector<std::uint8_t> truncated_to(const std::vector<std::uint8_t>& query) {
    auto out = answer_to(query, {});
    out[2] |= 0x02;
    return out;
}

std::uint16_t asked_type(const std::vector<std::uint8_t>& query) {
    const std::size_t end = question_end(query);
    return static_cast<std::uint16_t>(query[end - 4] << 8 | query[end - 3]);
}

}  // namespace steerd::probers::test
