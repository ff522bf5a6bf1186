// The SOA made ready with a zone stands in every negative answer as the general walk compresses it:
// names of the SOA above, below and beside the apex, below each other, the root; questions that
// share labels with them in any case, deep ones, the apex itself, wildcards and steered names.
#include "asking.h"
#include "both_ways.h"

namespace steerd::policy::testing {
namespace {

constexpr std::array kSoaNames = {"ns1 admin",
                                  "ns1.example.net. admin.example.net.",
                                  "a.ns1 admin.ns1",
                                  ". .",
                                  "@ @",
                                  "com. org.",
                                  "ns1.ns1 ns1",
                                  "x y.x",
                                  "NS1.Example.COM. A",
                                  "example.org. example.org.",
                                  "dns.net. a.dns.net."};
constexpr std::array kQuestions = {"example.com.",
                                   "nothing.example.com.",
                                   "ns1.example.com.",
                                   "NS1.example.com.",
                                   "a.ns1.example.com.",
                                   "b.c.ns1.example.com.",
                                   "x.y.example.com.",
                                   "y.x.example.com.",
                                   "here.example.com.",
                                   "below.here.example.com.",
                                   "ent.example.com.",
                                   "deep.in.ent.example.com.",
                                   "any.wild.example.com.",
                                   "www.example.com.",
                                   "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.example.com.",
                                   "admin.example.com.",
                                   "under.cut.example.com.",
                                   "under.old.example.com."};
constexpr std::array kTypes = {dns::RrType::A,  dns::RrType::MX,    dns::RrType::TXT,
                               dns::RrType::NS, dns::RrType::HTTPS, dns::RrType::SOA,
                               dns::RrType::DS};

TEST(NegativeAnswers, AreThoseOfTheWalk) {
    BothWays ways;
    for (const char* const names : kSoaNames) {
        auto built =
            prepare(config_of("[routes.main]\npolicy = \"failover\"\nmembers = [\"a\", \"b\"]\n") +
                    "[zones.\"com\"]\nfile = \"zone\"\n");
        zones::SteeredOwner www;
        www.owner = built.input.zones[0].config->steer[0].owner;
        const std::string text = "$TTL 3600\n@ SOA " + std::string(names) +
                                 " 1 3600 600 86400 300\n@ NS ns.example.net.\n"
                                 "here A 192.0.2.7\nx.ent A 192.0.2.8\n*.wild TXT w\n"
                                 "cut NS ns.example.net.\nold DNAME example.net.\n";
        built.input.zones[0].zone = zones::load_zone_text(
            built.input.zones[0].config->apex, text, "zone", std::span(&www, 1), built.problems);
        ASSERT_TRUE(built.input.zones[0].zone) << built.problems.text();
        built.compile();
        Snapshot snapshot;
        snapshot.plan = built.plan;
        snapshot.health = compile_health(*built.plan, all_up(*built.plan));
        for (const char* const question : kQuestions) {
            for (const dns::RrType type : kTypes) {
                dns::QueryOptions options;
                options.edns.emplace();
                options.edns->subnet = net("203.0.113.0/24");
                const auto packet = dns::compose_query(*dns::Name::parse(question), type, options);
                Request request;
                request.query = packet;
                (void)ways.agree(snapshot, request);
                ASSERT_FALSE(::testing::Test::HasFailure()) << names << ": " << question;
            }
        }
    }
    EXPECT_GT(ways.answered_short(), 600);
}

}  // namespace
}  // namespace steerd::policy::testing
