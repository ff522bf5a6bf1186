// Zone text with random damage: it loads or it is refused with a place, and never anything else
// (the sanitizers watch). Seeded, so that a failure comes again.
#include "base/rng.h"
#include "zone_testing.h"

namespace steerd::zones::testing {
namespace {

const std::string kSource =
    "$TTL 1h30m\n"
    "@ IN SOA ns.example.com. host\\.master ( 2026112001 ; serial\n"
    "  1h 15m 2w\n  5m )\n"
    "  NS ns\n  MX 10 mail.example.net.\n"
    "ns A 192.0.2.1\n   AAAA 2001:db8::1\n"
    "www 60 IN HTTPS 1 . alpn=\"h2,h3\" ipv4hint=192.0.2.1\n"
    "txt TXT \"a \\\"b\\\" \\255\" c ; comment\n"
    "$ORIGIN sub.example.com.\n*.w CNAME target\n_s._tcp SRV 0 5 5060 sip\n"
    "d DNAME other.test.\ncut NS ns.cut\nns.cut A 192.0.2.2\n"
    "$GENERATE 1-20/3 h${2,3,d} A 192.0.2.$\n"
    "odd TYPE65000 \\# 4 0102 0304\nds DS 1 13 2 0011\ncaa CAA 0 issue \"x\"\n"
    "loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m\nn NAPTR 1 2 \"s\" \"x\" \"\" r\n"
    "$INCLUDE other\n"
    "nsec NSEC next A RRSIG\nkey DNSKEY 257 3 13 AAAA\nsig RRSIG A 8 2 300 20300101000000 "
    "20200101000000 1 x. AAAA\n";

std::string mutate(std::string text, base::Rng& rng) {
    static const std::string kSpice = "()\"\\;$@.* \t\r\n\0\xff{}-/0123456789aAxTYPE#";
    for (auto left = 1 + rng.below(4); left > 0; --left) {
        const auto at = rng.below(text.size());
        switch (rng.below(6)) {
            case 0:
                text[at] = static_cast<char>(rng.below(256));
                break;
            case 1:
                text[at] = kSpice[rng.below(kSpice.size())];
                break;
            case 2:
                text.insert(at, 1, kSpice[rng.below(kSpice.size())]);
                break;
            case 3:
                text.erase(at, 1 + rng.below(12));
                break;
            case 4:
                text.insert(at, text.substr(rng.below(text.size()), rng.below(60)));
                break;
            default:
                text.insert(at, std::to_string(rng.next()));
                break;
        }
    }
    return text;
}

TEST(MutatedText, LoadsOrIsRefusedWithAPlace) {
    const std::vector<SteeredOwner> steered{steer("www.example.com.", 1),
                                            steer("*.s.example.com.", 2)};
    base::Rng rng(20261120);
    int loaded = 0;
    for (int i = 0; i < 3000; ++i) {
        auto text = kSource;
        // Without the include most texts are nearly right, so that the damage is what counts.
        text.erase(text.find("$INCLUDE other\n"), i % 4 == 0 ? 0 : 15);
        text = mutate(std::move(text), rng);
        base::Problems problems;
        const auto zone = load_text(text, problems, steered);
        ASSERT_EQ(zone == nullptr, problems.has_errors());
        for (const auto& problem : problems.all()) {
            ASSERT_FALSE(problem.message.empty());
            ASSERT_FALSE(problem.at.file.empty());
        }
        loaded += zone != nullptr ? 1 : 0;
        if (zone != nullptr) {
            const auto finding = zone->lookup(name("x.w.sub.example.com."), dns::RrType::A);
            ASSERT_EQ(finding.zone, zone.get());
        }
    }
    EXPECT_GT(loaded, 200);
}

}  // namespace
}  // namespace steerd::zones::testing
