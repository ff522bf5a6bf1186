// See scene.h. Thread rule: made once, by one thread.
#include "scene.h"

#include <fmt/format.h>

#include <string>

#include "../policy/steering.h"

namespace steerd::fuzz {

namespace {

using policy::testing::Steering;
using namespace policy::testing;  // NOLINT: its words for health and orders

const std::string kRoutes = R"(
[routes.main]
policy = "failover"
members = ["near", "drawn"]
[routes.near]
policy = "latency"
members = ["a", "b", "c"]
tolerance = "5ms"
[routes.drawn]
policy = "weighted"
members = [{to="d", weight=9}, {to="e", weight=1}, {to="f", weight=0}]
[routes.names]
policy = "weighted"
members = [{to="alias", weight=3}, {to="other", weight=1}]
[routes.placed]
policy = "geo"
members = [{match="198.18.0.0/16", to="a"}, {match="AS64500", to="b"}, {match="continent:AS", to="many"},
           {match="country:DE", to="c", fence=true}, {match="*", to="main"}]
[routes.stuck]
policy = "weighted"
sticky = true
members = [{to="a", weight=1}, {to="b", weight=2}, {to="c", weight=3}]
[routes.ring]
policy = "multivalue"
members = ["a", "b", "c", "d", "e", "f", "many"]
max_answers = 4
[zones."example.com"]
file = "zone"
[zones."example.com".steer]
www = { route = "main", ttl = "60s", ttl_min = "5s" }
geo = { route = "placed", ttl = "60s" }
"*.apps" = { route = "stuck", ttl = "60s", when_all_down = "nodata" }
ring = { route = "ring", ttl = "60s", when_all_down = "servfail" }
names = { route = "names", ttl = "30s" }
"@" = { route = "near", ttl = "60s" }
[zones."sub.example.com"]
file = "zone"
)";

const std::string kZone = R"(
www MX 10 mail
mail A 192.0.2.70
mail AAAA 2001:db8::70
*.wild TXT "w"
*.wild MX 5 mail
a.b.c.ent A 192.0.2.71
cut NS ns.cut
cut NS ns.other.example.
ns.cut A 192.0.2.72
below.cut A 192.0.2.73
alias CNAME www
loop1 CNAME loop2
loop2 CNAME loop1
out CNAME www.elsewhere.example.
towild CNAME x.wild
svc SRV 1 2 443 mail
web HTTPS 1 mail alpn=h2 ipv4hint=192.0.2.70
odd TYPE65280 \# 4 01020304
)";

std::string zone_text() {
    std::string text = kZone;
    for (int i = 0; i < 12; ++i) {
        text += fmt::format("large TXT \"{}\"\n", std::string(120, static_cast<char>('a' + i)));
    }
    return text;
}

}  // namespace

std::vector<policy::Snapshot> snapshots() {
    std::vector<policy::Snapshot> all;
    Steering steering(build(kEndpoints + kRoutes, zone_text(), WorldText{}));
    const auto add = [&] {
        all.push_back({1, base::Now{}, steering.built.plan,
                       policy::compile_health(steering.plan, steering.facts)});
    };
    add();
    steering.set("a b", health::Health::Down).set("d", health::Health::Degraded);
    steering.pending("c", health::Health::Down, 12);
    steering.order("e", health::OrderState::Drain);
    add();
    steering.set("a b c d e f many alias other", health::Health::Down);
    add();
    return all;
}

}  // namespace steerd::fuzz
