// What the tests of this folder share: names and zones from text, and findings as one line of
// words.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zones/load.h"

namespace steerd::zones::testing {

inline dns::Name name(std::string_view text) {
    auto parsed = dns::Name::parse(text);
    EXPECT_TRUE(parsed.ok()) << text;
    return *parsed;
}

inline const std::string kHead =
    "$TTL 3600\n"
    "@ 7200 IN SOA ns.example.net. hostmaster.example.com. 7 3600 600 86400 300\n"
    "@ IN NS ns.example.net.\n";

inline std::shared_ptr<const Zone> load_text(std::string_view text, base::Problems& problems,
                                             std::span<const SteeredOwner> steered = {}) {
    return load_zone_text(name("example.com."), text, "test.zone", steered, problems);
}

/// A zone that must load without an error: the head above and these lines.
inline std::shared_ptr<const Zone> zone_of(std::string_view lines,
                                           std::span<const SteeredOwner> steered = {}) {
    base::Problems problems;
    auto zone = load_text(kHead + std::string(lines), problems, steered);
    if (zone == nullptr) {
        throw base::LoadError(problems);
    }
    return zone;
}

inline std::string hex(std::span<const std::uint8_t> octets) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const auto octet : octets) {
        out += digits[octet >> 4];
        out += digits[octet & 15];
    }
    return out;
}

/// The rdata of an RRset as hexadecimal, record by record.
inline std::vector<std::string> rdata_of(const dns::RrsetView& rrset) {
    std::vector<std::string> out;
    dns::for_each_rdata(rrset, [&](auto rdata) { out.push_back(hex(rdata)); });
    return out;
}

/// The same at a name of a zone; empty where there is none.
inline std::vector<std::string> rdata_at(const Zone& zone, std::string_view owner,
                                         dns::RrType type) {
    dns::RrsetView rrset;
    return zone.glue(name(owner), type, rrset) ? rdata_of(rrset) : std::vector<std::string>();
}

inline std::string_view word(FindingKind kind) {
    switch (kind) {
        case FindingKind::Records:
            return "Records";
        case FindingKind::Steered:
            return "Steered";
        case FindingKind::Cname:
            return "Cname";
        case FindingKind::Dname:
            return "Dname";
        case FindingKind::Delegation:
            return "Delegation";
        case FindingKind::NoData:
            return "NoData";
        case FindingKind::NxDomain:
            return "NxDomain";
    }
    return "?";
}

/// "Records A @owner ce=encloser wildcard steer=3"; the parts that say nothing are left out.
inline std::string describe(const Finding& finding) {
    std::string out(word(finding.kind));
    if (finding.rrset.count > 0) {
        out += " " + dns::to_text(finding.rrset.type) + " @" + finding.rrset.owner.to_text();
    }
    out += " ce=" + finding.closest_encloser.to_text();
    out += finding.wildcard ? " wildcard" : "";
    if (finding.steer != kNotSteered) {
        out += " steer=" + std::to_string(finding.steer);
    }
    return out;
}

inline std::string ask(const Zone& zone, std::string_view qname, dns::RrType qtype) {
    return describe(zone.lookup(name(qname), qtype));
}

inline SteeredOwner steer(std::string_view owner, std::uint32_t index,
                          bool cname_possible = false) {
    return {name(owner), {"steerd.toml", 10 + index, 1}, cname_possible, index};
}

}  // namespace steerd::zones::testing
