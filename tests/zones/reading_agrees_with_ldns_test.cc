// Property: what we read is what ldns reads, for the rdata of the types that are ours and for whole
// zones of random records. ldns is the independent oracle here, with its own reader of text.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "base/rng.h"
#include "zone_testing.h"

// Behind the C++ headers: it makes macros of true and false.
#include <ldns/ldns.h>

namespace steerd::zones::testing {
namespace {

using dns::RrType;

struct Oracle {
    std::string owner;
    std::uint16_t type = 0;
    std::uint32_t ttl_s = 0;
    std::string rdata;

    auto operator<=>(const Oracle&) const = default;
};

/// Reads lines one after the other, as ldns reads a file.
class LdnsReader {
  public:
    LdnsReader() : origin_(ldns_dname_new_frm_str("example.com.")) {}

    ~LdnsReader() {
        ldns_rdf_deep_free(origin_);
        ldns_rdf_deep_free(previous_);
    }

    LdnsReader(const LdnsReader&) = delete;
    LdnsReader& operator=(const LdnsReader&) = delete;

    std::optional<Oracle> read(const std::string& line) {
        ldns_rr* rr = nullptr;
        if (ldns_rr_new_frm_str(&rr, line.c_str(), 3600, origin_, &previous_) != LDNS_STATUS_OK) {
            return std::nullopt;
        }
        Oracle out;
        const auto* const owner = ldns_rr_owner(rr);
        out.owner = hex({ldns_rdf_data(owner), ldns_rdf_size(owner)});
        out.type = static_cast<std::uint16_t>(ldns_rr_get_type(rr));
        out.ttl_s = ldns_rr_ttl(rr);
        for (std::size_t i = 0; i < ldns_rr_rd_count(rr); ++i) {
            const auto* const rdf = ldns_rr_rdf(rr, i);
            out.rdata += hex({ldns_rdf_data(rdf), ldns_rdf_size(rdf)});
        }
        ldns_rr_free(rr);
        return out;
    }

  private:
    ldns_rdf* origin_;
    ldns_rdf* previous_ = nullptr;
};

class RandomText {
  public:
    explicit RandomText(std::uint64_t seed) : rng_(seed) {}

    std::uint64_t below(std::uint64_t bound) { return rng_.below(bound); }

    std::string pick(std::initializer_list<const char*> words) {
        return *(words.begin() + rng_.below(words.size()));
    }

    std::string number(std::uint64_t bound) { return std::to_string(rng_.below(bound)); }

    std::string label() {
        std::string out;
        for (auto left = 1 + rng_.below(8); left > 0; --left) {
            out += pick(
                {"a", "b", "Z", "0", "-", "_", "\\.", "\\032", "\\200", "x\\065", "q", "\\\\"});
        }
        return out;
    }

    std::string host() {
        const auto form = rng_.below(8);
        std::string out = form == 0 ? "@" : label();
        for (auto more = rng_.below(3); form != 0 && more > 0; --more) {
            out += "." + label();
        }
        return out + (form == 1 ? "." : form == 2 ? ".example.com." : "");
    }

    std::string ipv6() {
        std::string out;
        const auto gap = rng_.below(10);
        for (std::uint64_t i = 0; i < 8; ++i) {
            if (i == gap) {
                out += i == 0 ? "::" : ":";
                i += 1 + rng_.below(3);
                continue;
            }
            out += pick({"0", "1", "db8", "FFFF", "2001", "a0"}) + (i < 7 ? ":" : "");
        }
        return rng_.below(6) == 0 ? "::ffff:192.0.2." + number(256) : out;
    }

    std::string string() {
        std::string out;
        const bool quoted = rng_.below(2) == 0;
        for (auto left = rng_.below(20) + (quoted ? 0 : 1); left > 0; --left) {
            out += pick({"a", "B", "9", "\\\"", "\\255", "\\000", "=", "~", "\\\\", "\\065"});
            out += quoted ? pick({" ", "", ";", "(", ")"}) : "";
        }
        return quoted ? "\"" + out + "\"" : out;
    }

    std::string seconds() { return number(100'000) + pick({"", "", "s", "m", "h"}); }

    std::string rdata(RrType type) {
        switch (type) {
            case RrType::A:
                return number(256) + "." + number(256) + "." + number(256) + "." + number(260);
            case RrType::AAAA:
                return ipv6();
            case RrType::NS:
            case RrType::CNAME:
            case RrType::PTR:
            case RrType::DNAME:
                return host();
            case RrType::MX:
                return number(65'536) + " " + host();
            case RrType::SRV:
                return number(65'536) + " " + number(65'536) + " " + number(65'536) + " " + host();
            case RrType::SOA:
                return host() + " " + host() + " " + number(0x100000000) + " " + seconds() + " " +
                       seconds() + " " + seconds() + " " + seconds();
            default: {
                std::string out = string();
                for (auto more = rng_.below(3); more > 0; --more) {
                    out += " " + string();
                }
                return out;
            }
        }
    }

  private:
    base::Rng rng_;
};

constexpr RrType kOurs[] = {RrType::A,  RrType::AAAA, RrType::NS,  RrType::CNAME, RrType::PTR,
                            RrType::MX, RrType::TXT,  RrType::SRV, RrType::DNAME};

/// The rdata of the one record in `line`, read by us; nullopt when refused.
std::optional<std::string> ours(const std::string& line, RrType type) {
    base::Problems problems;
    const auto zone = load_text(kHead + line + "\n", problems);
    if (zone == nullptr) {
        return std::nullopt;
    }
    const auto rdata = rdata_at(*zone, "t.example.com.", type);
    return rdata.size() == 1 ? std::optional(rdata[0]) : std::nullopt;
}

TEST(Reading, RdataOfOurTypesIsWhatLdnsReads) {
    int agreed = 0;
    RandomText random(7);
    for (int i = 0; i < 4000; ++i) {
        const auto type = kOurs[random.below(std::size(kOurs))];
        const auto line = "t " + dns::to_text(type) + " " + random.rdata(type);
        LdnsReader ldns;
        const auto theirs = ldns.read(line);
        const auto mine = ours(line, type);
        ASSERT_EQ(mine.has_value(), theirs.has_value()) << line;
        if (mine) {
            ASSERT_EQ(*mine, theirs->rdata) << line;
            ++agreed;
        }
    }
    EXPECT_GT(agreed, 3000);
}

TEST(Reading, SoaIsWhatLdnsReads) {
    RandomText random(8);
    for (int i = 0; i < 300; ++i) {
        const auto line = "@ SOA " + random.rdata(RrType::SOA);
        LdnsReader ldns;
        const auto theirs = ldns.read(line);
        base::Problems problems;
        const auto zone = load_text("$TTL 1\n" + line + "\n@ NS ns\n", problems);
        ASSERT_EQ(zone != nullptr, theirs.has_value()) << line << problems.text();
        if (zone != nullptr) {
            ASSERT_EQ(rdata_of(zone->soa())[0], theirs->rdata) << line;
        }
    }
}

/// A line of a zone: owner given or left out, TTL and class in any order.
std::string random_line(RandomText& random, RrType type) {
    const auto owner =
        random.below(3) == 0 ? " " : random.label() + (random.below(2) == 0 ? ".Sub" : "");
    const auto ttl = random.pick({"", "", "60", "1h", "0"});
    const auto rrclass = random.pick({"", "IN", "in"});
    const bool ttl_first = random.below(2) == 0;
    return owner + " " + (ttl_first ? ttl : rrclass) + " " + (ttl_first ? rrclass : ttl) + "\t" +
           dns::to_text(type) + " " + random.rdata(type);
}

struct Expected {
    std::uint32_t ttl_s = 0xFFFFFFFF;
    std::set<std::string> records;
};

using Contents = std::map<std::pair<std::string, std::uint16_t>, Expected>;

/// Owners in lower case: what ldns read as two spellings is one name.
std::string key_of(std::string_view owner_hex) {
    std::vector<std::uint8_t> octets;
    for (std::size_t i = 0; i < owner_hex.size(); i += 2) {
        octets.push_back(
            static_cast<std::uint8_t>(std::stoi(std::string(owner_hex.substr(i, 2)), nullptr, 16)));
    }
    return dns::Name(dns::NameView(octets)).lowered().to_text();
}

TEST(Reading, WholeZonesAreWhatLdnsReads) {
    constexpr RrType kFree[] = {RrType::A,  RrType::AAAA, RrType::PTR,
                                RrType::MX, RrType::TXT,  RrType::SRV};
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        RandomText random(seed);
        LdnsReader ldns;
        std::string text = kHead;
        Contents expected;
        for (int i = 0; i < 60; ++i) {
            const auto line = i == 0 ? "start A 192.0.2.1"
                                     : random_line(random, kFree[random.below(std::size(kFree))]);
            LdnsReader alone;  // a line that it refuses would move its idea of the last owner
            if (!alone.read("x" + line)) {
                continue;  // an address that is none
            }
            const auto theirs = ldns.read(line);
            ASSERT_TRUE(theirs) << line;
            auto& rrset = expected[{key_of(theirs->owner), theirs->type}];
            rrset.ttl_s = std::min(rrset.ttl_s, theirs->ttl_s);
            rrset.records.insert(theirs->rdata);
            text += line + "\n";
        }
        base::Problems problems;
        const auto zone = load_text(text, problems);
        ASSERT_NE(zone, nullptr) << problems.text() << "\n" << text;
        Contents found;
        for (const auto& node : zone->canonical_nodes()) {
            node.for_each_rrset([&](const dns::RrsetView& rrset) {
                if (rrset.type == RrType::SOA || rrset.type == RrType::NS) {
                    return;  // of the head
                }
                auto& entry = found[{key_of(hex(rrset.owner.octets())),
                                     static_cast<std::uint16_t>(rrset.type)}];
                entry.ttl_s = rrset.ttl.seconds();
                const auto rdata = rdata_of(rrset);
                entry.records.insert(rdata.begin(), rdata.end());
            });
        }
        for (const auto& [key, rrset] : expected) {
            const auto mine = found.find(key);
            ASSERT_NE(mine, found.end()) << key.first << " TYPE" << key.second;
            ASSERT_EQ(mine->second.ttl_s, rrset.ttl_s) << key.first << " TYPE" << key.second;
            ASSERT_EQ(mine->second.records, rrset.records) << key.first << " TYPE" << key.second;
        }
        ASSERT_EQ(found.size(), expected.size());
    }
}

TEST(Reading, TypesLeftToLdnsKeepTheirOctets) {
    LdnsReader ldns;
    const std::string key(64, 'A');
    for (const std::string line :
         {"t CAA 128 issue \"ca.test; x=1\"",
          "t DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
          "t NAPTR 100 50 \"s\" \"z3950+I2L+I2C\" \"\" _z3950._tcp.gatech.edu.", "t SSHFP 2 1 12ab",
          "t TLSA 3 1 1 00ff", "t HINFO PC-Intel \"Red Hat\"",
          "t LOC 52 22 23.000 N 4 53 32.000 E -2.00m", "t RP mbox txt", "t AFSDB 1 host",
          "t KX 10 kx", "t URI 10 1 \"ftp://x/y\"", "t HTTPS 1 . alpn=h2,h3 ipv6hint=2001:db8::1",
          "t SVCB 16 foo mandatory=alpn alpn=h2 port=53", "t CERT 1 0 0 AAAA",
          "t NSEC next A TYPE1234", "t OPENPGPKEY AAAA", "t EUI48 00-00-5e-00-53-2a"}) {
        const auto theirs = ldns.read(line);
        ASSERT_TRUE(theirs) << line;
        EXPECT_EQ(ours(line, RrType(theirs->type)), theirs->rdata) << line;
    }
}

}  // namespace
}  // namespace steerd::zones::testing
