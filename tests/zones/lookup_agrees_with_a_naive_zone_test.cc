// Property: on random small zones the compiled lookup says what a naive reading of RFC 1034 §4.3.2,
// RFC 4592 and RFC 6672 says over a plain list of records, for every name and type there is to ask.
#include <algorithm>
#include <map>
#include <set>

#include "base/rng.h"
#include "zone_testing.h"

namespace steerd::zones::testing {
namespace {

using dns::RrType;

/// A zone as a list: which types stand at which name, and which names are steered.
struct Naive {
    dns::Name apex;
    std::map<dns::Name, std::set<RrType>> types;
    std::map<dns::Name, std::uint32_t> steered;

    [[nodiscard]] bool has(const dns::Name& at, RrType type) const {
        const auto found = types.find(at);
        return found != types.end() && found->second.contains(type);
    }

    [[nodiscard]] bool exists(const dns::Name& at) const {
        const auto below = [&](const auto& entry) { return entry.first.view().is_at_or_below(at); };
        return std::any_of(types.begin(), types.end(), below) ||
               std::any_of(steered.begin(), steered.end(), below);
    }

    [[nodiscard]] bool cut(const dns::Name& at) const { return at != apex && has(at, RrType::NS); }

    /// The names from the apex down to `at`, both included.
    [[nodiscard]] std::vector<dns::Name> path(const dns::Name& at) const {
        std::vector<dns::Name> names;
        for (auto n = apex.view().label_count(); n <= at.view().label_count(); ++n) {
            names.emplace_back(at.view().suffix(n));
        }
        return names;
    }

    [[nodiscard]] std::string answer(const dns::Name& source, const std::string& tail,
                                     RrType qtype) const {
        const bool steer = steered.contains(source);
        const auto mark = steer ? " steer=" + std::to_string(steered.at(source)) : std::string();
        const auto rrset = [&](std::string_view kind, RrType type) {
            return std::string(kind) + " " + dns::to_text(type) + " @" + source.to_text() + tail +
                   mark;
        };
        const bool address = qtype == RrType::A || qtype == RrType::AAAA || qtype == RrType::ANY;
        if (qtype == RrType::ANY && types.contains(source)) {
            return "Records of any" + tail + mark;
        }
        if (has(source, qtype)) {
            return rrset("Records", qtype);
        }
        if (has(source, RrType::CNAME)) {
            return rrset("Cname", RrType::CNAME);
        }
        return (steer && address ? "Steered" : "NoData") + tail + mark;
    }

    [[nodiscard]] std::string lookup(const dns::Name& qname, RrType qtype) const {
        dns::Name encloser = apex;
        for (const auto& at : path(qname)) {
            const bool last = at == qname;
            if (cut(at) && !(last && qtype == RrType::DS)) {
                return "Delegation NS @" + at.to_text() + " ce=" + at.to_text();
            }
            if (!last && has(at, RrType::DNAME)) {
                return "Dname DNAME @" + at.to_text() + " ce=" + at.to_text();
            }
            if (!exists(at)) {
                break;
            }
            encloser = at;
        }
        const auto tail = " ce=" + encloser.to_text();
        if (encloser == qname) {
            return answer(qname, tail, qtype);
        }
        const std::uint8_t star[1] = {'*'};
        const auto source = dns::Name::join(star, encloser);
        return exists(*source) ? answer(*source, tail + " wildcard", qtype) : "NxDomain" + tail;
    }
};

class RandomZone {
  public:
    explicit RandomZone(std::uint64_t seed) : rng_(seed) {
        naive_.apex = name("example.");
        naive_.types[naive_.apex] = {RrType::SOA, RrType::NS};
        text_ = "$TTL 60\n@ SOA ns.test. h.test. 1 2 3 4 5\n@ NS ns.test.\n";
        const auto records = 1 + rng_.below(14);
        for (std::uint64_t i = 0; i < records; ++i) {
            add_record(random_name());
        }
        const auto steers = rng_.below(4);
        for (std::uint32_t i = 0; i < steers; ++i) {
            add_steered(random_name(), i);
        }
    }

    [[nodiscard]] const Naive& naive() const { return naive_; }

    [[nodiscard]] const std::string& text() const { return text_; }

    [[nodiscard]] const std::vector<SteeredOwner>& steered() const { return steered_; }

  private:
    dns::Name random_name() {
        std::string text;
        for (auto labels = rng_.below(5); labels > 0; --labels) {
            text += std::string(1, "abc*"[rng_.below(4)]) + ".";
        }
        return name(text + "example.");
    }

    void add_record(const dns::Name& at) {
        static const std::vector<std::pair<RrType, std::string>> kinds{
            {RrType::A, "192.0.2.1"},      {RrType::A, "192.0.2.2"},   {RrType::TXT, "x"},
            {RrType::NS, "ns.test."},      {RrType::CNAME, "c.test."}, {RrType::DNAME, "d.test."},
            {RrType::AAAA, "2001:db8::1"}, {RrType::DS, "1 13 2 00"},  {RrType::TXT, "y"}};
        const auto& [type, rdata] = kinds[rng_.below(kinds.size())];
        auto present = naive_.types.contains(at) ? naive_.types[at] : std::set<RrType>();
        present.erase(type);
        const bool ns_dname =
            at != naive_.apex && ((type == RrType::NS && present.contains(RrType::DNAME)) ||
                                  (type == RrType::DNAME && present.contains(RrType::NS)));
        if (present.contains(RrType::CNAME) || (type == RrType::CNAME && !present.empty()) ||
            ns_dname ||
            (at.view().is_wildcard() && (type == RrType::NS || type == RrType::DNAME))) {
            return;
        }
        naive_.types[at].insert(type);
        text_ += at.to_text() + " " + dns::to_text(type) + " " + rdata + "\n";
    }

    void add_steered(const dns::Name& at, std::uint32_t index) {
        const auto above = naive_.path(at);
        const bool redirected = std::any_of(above.begin(), above.end(), [&](const auto& one) {
            return naive_.cut(one) || naive_.has(one, RrType::DNAME);
        });
        if (redirected || naive_.has(at, RrType::A) || naive_.has(at, RrType::AAAA) ||
            naive_.has(at, RrType::CNAME) || naive_.steered.contains(at)) {
            return;
        }
        naive_.steered[at] = index;
        steered_.push_back({at, {"t", 1, 1}, false, index});
    }

    base::Rng rng_;
    Naive naive_;
    std::string text_;
    std::vector<SteeredOwner> steered_;
};

std::vector<dns::Name> all_names() {
    std::vector<std::string> level{""};
    std::vector<dns::Name> names;
    for (int depth = 0; depth <= 4; ++depth) {
        std::vector<std::string> next;
        for (const auto& prefix : level) {
            names.push_back(name(prefix + "example."));
            for (const char label : {'a', 'b', 'C', '*', 'x'}) {
                next.push_back(std::string(1, label) + "." + prefix);
            }
        }
        level = std::move(next);
    }
    return names;
}

TEST(Lookup, AgreesWithANaiveZone) {
    const auto names = all_names();
    std::map<std::string, int> kinds;
    for (std::uint64_t seed = 1; seed <= 80; ++seed) {
        const RandomZone random(seed);
        base::Problems problems;
        const auto zone = load_zone_text(random.naive().apex, random.text(), "random.zone",
                                         random.steered(), problems);
        ASSERT_NE(zone, nullptr) << problems.text() << "\n" << random.text();
        base::Rng pick(seed);
        for (const auto& qname : names) {
            const std::vector<RrType> types{RrType::A,  RrType::NS,    RrType::CNAME, RrType::TXT,
                                            RrType::DS, RrType::DNAME, RrType::ANY,   RrType::AAAA};
            const auto qtype = types[pick.below(types.size())];
            const auto finding = zone->lookup(qname, qtype);
            auto compiled = describe(finding);
            if (qtype == RrType::ANY && finding.kind == FindingKind::Records) {
                compiled.replace(0, compiled.find(" ce="), "Records of any");
            }
            // The compiled zone shows owners as they were first written; both in lower case here.
            auto expected = random.naive().lookup(qname.lowered(), qtype);
            ASSERT_EQ(compiled, expected) << qname.to_text() << " " << dns::to_text(qtype) << "\n"
                                          << random.text();
            ++kinds[std::string(word(finding.kind))];
        }
    }
    for (const auto* kind :
         {"Records", "Steered", "Cname", "Dname", "Delegation", "NoData", "NxDomain"}) {
        EXPECT_GT(kinds[kind], 100) << kind << ": the random zones no longer reach this";
    }
}

}  // namespace
}  // namespace steerd::zones::testing
