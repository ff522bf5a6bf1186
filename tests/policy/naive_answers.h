// A naive reading of the rules that an authoritative answer obeys, over a plain list of records and
// a list of steered names, with decide() asked at each steered name met: RFC 1034 §4.3.2, RFC 2308,
// RFC 4592, RFC 6672, RFC 7871. Shares nothing with zones and answer() but names and decisions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "asking.h"

namespace steerd::policy::testing {

using dns::Name;
using dns::RrType;

struct Line {
    RrType type;
    std::string rdata;
};

struct Steer {
    std::string route;
    unsigned ttl_s;
    std::string all_down;
};

/// A zone as a list, and which names are steered.
struct NaiveZone {
    std::map<Name, std::vector<Line>> records;  // in the order of the file
    std::map<Name, Steer> steered;

    [[nodiscard]] std::vector<std::string> at(const Name& owner, RrType type) const;
    [[nodiscard]] bool exists(const Name& name) const;
    [[nodiscard]] std::string zone_text() const;
    /// The routes of kAnswerConfig and this zone.
    [[nodiscard]] std::string config() const;
};

struct NaiveQuestion {
    Name qname;
    RrType qtype{};
    base::IpPrefix client;
    std::uint64_t draw = 0;
};

/// What is expected, in lower case, a line for each record.
struct Expected {
    std::string rcode = "NOERROR";
    bool authoritative = true;
    std::string answer;
    std::string authority;
    unsigned scope = 0;
};

[[nodiscard]] Expected naive_answer(const NaiveZone& zone, const Snapshot& snapshot,
                                    const NaiveQuestion& question);

[[nodiscard]] std::string lower(std::string text);

}  // namespace steerd::policy::testing
