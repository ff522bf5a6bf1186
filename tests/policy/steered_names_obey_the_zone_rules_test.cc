// Property: on random zones in which random names are steered (also wildcards, beside other types,
// behind CNAMEs and DNAMEs, beside cuts), answer() says what a naive reading of RFC 1034 §4.3.2,
// RFC 2308, RFC 4592, RFC 6672 and RFC 7871 says, with decide() asked at each steered name met. And
// what does not fit over UDP is whole over TCP (RFC 2181 §9).
#include <algorithm>
#include <cctype>
#include <map>

#include "base/rng.h"
#include "naive_answers.h"

namespace steerd::policy::testing {
namespace {

const std::string kApex = "example.com.";

class SteeredZones : public ::testing::Test {
  protected:
    template <typename Choices>
    auto pick(const Choices& from) {
        return from[static_cast<std::size_t>(rng_.below(std::size(from)))];
    }

    Name random_name(std::size_t deepest = 3) {
        constexpr std::array kLabels = {"a", "b", "c", "*", "mail"};
        std::string text = kApex;
        for (std::uint64_t n = rng_.below(deepest + 1); n > 0; --n) {
            text = std::string(pick(kLabels)) + "." + text;
        }
        return *Name::parse(text);
    }

    std::string random_target() {
        return rng_.below(8) == 0 ? "www.example.net." : random_name().to_text();
    }

    Line random_line() {
        switch (rng_.below(7)) {
            case 0:
                return {RrType::CNAME, random_target()};
            case 1:
                return {RrType::DNAME, random_target()};
            case 2:
                return {RrType::NS, "ns.example.net."};
            case 3:
                return {RrType::MX, "10 mail.example.net."};
            case 4:
                return {RrType::TXT, "\"text\""};
            default:
                return {RrType::A, "192.0.2." + std::to_string(200 + rng_.below(50))};
        }
    }

    NaiveZone random_zone() {
        NaiveZone zone;
        zone.records[*Name::parse(kApex)] = {
            {RrType::SOA, "ns1.example.net. admin.example.net. 1 3600 600 86400 300"},
            {RrType::NS, "ns1.example.net."}};
        for (std::uint64_t n = 3 + rng_.below(7); n > 0; --n) {
            auto& lines = zone.records[random_name()];
            const Line line = random_line();
            if (std::none_of(lines.begin(), lines.end(),
                             [&](const Line& other) { return other.rdata == line.rdata; })) {
                lines.push_back(line);
            }
        }
        constexpr std::array kRouteNames = {"main",   "places", "sorry", "into",  "through",
                                            "hashed", "ring",   "lone",  "closed"};
        constexpr std::array kAllDown = {"serve-all", "nodata", "servfail"};
        for (std::uint64_t n = 1 + rng_.below(5); n > 0; --n) {
            zone.steered[random_name()] = {
                pick(kRouteNames), static_cast<unsigned>(20 + rng_.below(60)), pick(kAllDown)};
        }
        return zone;
    }

    /// nullopt: it breaks a rule of zones or steer tables.
    static std::optional<Built> load(const NaiveZone& naive) {
        Built built;
        const auto model = config::load_text(naive.config(), "steerd.toml").model;
        if (!model || model->zones.at(0).steer_problems.has_errors()) {
            return std::nullopt;
        }
        const config::ZoneConfig& zone = model->zones[0];
        std::vector<zones::SteeredOwner> owners;
        for (const config::SteerConfig& steer : zone.steer) {
            const auto under = config::endpoints_under(*model, steer.route);
            const bool cname = std::any_of(under.begin(), under.end(), [&](EndpointId id) {
                return model->endpoint(id).cname.has_value();
            });
            owners.push_back(
                {steer.owner, steer.at, cname, static_cast<std::uint32_t>(owners.size())});
        }
        base::Problems problems;
        built.input.model = model;
        built.input.world = make_world(*model);
        built.input.zones.push_back(
            {std::make_shared<const config::ZoneConfig>(zone),
             zones::load_zone_text(zone.apex, "$TTL 3600\n" + naive.zone_text(), "zone", owners,
                                   problems)});
        if (!built.input.zones[0].zone) {
            return std::nullopt;
        }
        built.compile();
        return built.plan ? std::optional(std::move(built)) : std::nullopt;
    }

    static std::string section_of(const dns::Message& message, dns::Section section) {
        std::string out;
        for (const dns::Record& record : message.section(section)) {
            out += lower(record.text()) + "\n";
        }
        return out;
    }

    void randomise_health(Asking& s) {
        constexpr std::array kHealth = {Health::Up, Health::Up, Health::Degraded, Health::Down};
        for (const char* const endpoint :
             {"a", "b", "c", "d", "e", "f", "four", "many", "alias", "inside", "steered-target"}) {
            s.set(endpoint, pick(kHealth));
        }
        s.refresh();
    }

    void check(Asking& s, const NaiveZone& zone) {
        const Name qname = random_name(4);
        const RrType qtype =
            pick(std::array{RrType::A, RrType::A, RrType::AAAA, RrType::TXT, RrType::MX,
                            RrType::ANY, RrType::CNAME, RrType::DS, RrType::NS, RrType::HTTPS});
        const std::string subnet =
            pick(std::array{"203.0.113.0/24", "203.0.113.128/25", "8.8.0.0/16", "2001:db8::/48"});
        std::string text = qname.to_text();
        for (char& c : text) {
            c = rng_.below(2) == 0 ? static_cast<char>(std::toupper(c)) : c;
        }
        const std::string question = text + " " + dns::to_text(qtype);
        How how{.subnet = subnet, .transport = Transport::Tcp, .draw = rng_.next()};
        const dns::Message tcp = s.ask(question, how);
        kinds_[s.last.kind]++;
        const Expected expected =
            naive_answer(zone, s.snapshot, {qname, qtype, net(subnet), how.draw});
        EXPECT_EQ(dns::to_text(tcp.rcode), expected.rcode) << question;
        EXPECT_EQ(tcp.authoritative, expected.authoritative) << question;
        EXPECT_EQ(section_of(tcp, dns::Section::Answer), expected.answer) << question;
        EXPECT_EQ(section_of(tcp, dns::Section::Authority), expected.authority) << question;
        EXPECT_EQ(tcp.edns->subnet_scope, expected.scope) << question;
        EXPECT_EQ(tcp.questions.at(0).name.to_text(), text) << "the case that was asked";
        EXPECT_FALSE(tcp.truncated);
        how.transport = Transport::Udp;
        how.udp_size = 512;
        check_udp(s, question, how, tcp);
    }

    static void check_udp(Asking& s, const std::string& question, const How& how,
                          const dns::Message& tcp) {
        const std::size_t whole = s.last.size;
        const dns::Message udp = s.ask(question, how);
        EXPECT_LE(s.last.size, 512U);
        EXPECT_EQ(udp.truncated, whole > 512) << question;
        EXPECT_EQ(s.last.truncated, udp.truncated);
        EXPECT_EQ(udp.rcode, tcp.rcode);
        if (!udp.truncated) {
            EXPECT_EQ(udp.records, tcp.records) << question;
            return;
        }
        for (const dns::Record& record : udp.records) {  // each RRset whole or not at all
            const auto same = [&](const dns::Record& other) {
                return other.section == record.section && other.owner == record.owner &&
                       other.type == record.type;
            };
            EXPECT_EQ(std::count_if(udp.records.begin(), udp.records.end(), same),
                      std::count_if(tcp.records.begin(), tcp.records.end(), same))
                << question;
        }
    }

    base::Rng rng_{20261120};
    std::map<AnswerKind, int> kinds_;
};

TEST_F(SteeredZones, AnswerAsANaiveReadingOfTheRulesSays) {
    int zones = 0;
    for (int tries = 0; zones < 150 && tries < 20000 && !HasFailure(); ++tries) {
        const NaiveZone zone = random_zone();
        auto built = load(zone);
        if (!built) {
            continue;
        }
        ++zones;
        Asking s(std::move(*built));
        for (int i = 0; i < 40 && !HasFailure(); ++i) {
            if (i % 20 == 0) {
                randomise_health(s);
            }
            check(s, zone);
        }
        EXPECT_FALSE(HasFailure())
            << zone.config().substr(kAnswerConfig.find("[zones.")) << zone.zone_text();
    }
    EXPECT_EQ(zones, 150);
    for (const AnswerKind kind : {AnswerKind::Static, AnswerKind::Steered, AnswerKind::Referral,
                                  AnswerKind::NoData, AnswerKind::NxDomain, AnswerKind::Any}) {
        EXPECT_GT(kinds_[kind], 50) << static_cast<int>(kind);
    }
}

}  // namespace
}  // namespace steerd::policy::testing
