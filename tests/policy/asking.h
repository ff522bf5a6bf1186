// Questions to answer() as octets, and its answers as text: "NOERROR aa | answer | authority |
// additional", records joined by "; ". The zone and the steer table that most tests ask are here.
#pragma once

#include <array>

#include "dns/message.h"
#include "policy/ahead.h"
#include "policy/answer.h"
#include "steering.h"

namespace steerd::policy::testing {

inline const std::string kZoneLines = R"(
mail A 192.0.2.250
txt TXT "hello"
alias CNAME mail
loop1 CNAME loop2
loop2 CNAME loop1
chain1 CNAME chain2
chain2 CNAME chain3
chain3 CNAME chain4
chain4 CNAME chain5
chain5 CNAME chain6
chain6 CNAME chain7
chain7 CNAME chain8
chain8 CNAME mail
away CNAME www.example.net.
dangling CNAME nothing
aliasnodata CNAME txt
towww CNAME www
*.wild A 192.0.2.200
*.wild TXT "w"
x.taken.wild A 192.0.2.201
a.ent A 192.0.2.202
sub NS ns1.sub
sub NS ns.other
sub NS ns.example.net.
sub DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000
ns1.sub A 192.0.2.210
ns1.sub AAAA 2001:db8::210
ns.other A 192.0.2.211
intosub CNAME x.sub
old DNAME new
deeper DNAME a.deeper
x.new A 192.0.2.220
long DNAME aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
www MX 10 mail
weird TYPE65534 \# 3 010203
)";

inline const std::string kAnswerConfig = kEndpoints + R"(
[endpoints.inside]
cname = "mail.example.com"
probes = ["web"]
[endpoints.steered-target]
cname = "www.example.com"
probes = ["web"]
[routes.main]
policy = "failover"
members = ["a", "b"]
[routes.places]
policy = "geo"
members = [{match="country:JP", to="a"}, {match="203.0.113.128/25", to="c"}, {match="*", to="b"}]
[routes.sorry]
policy = "failover"
members = ["a", "alias"]
[routes.into]
policy = "failover"
members = ["inside"]
[routes.through]
policy = "failover"
members = ["steered-target"]
[routes.lone]
policy = "failover"
members = ["four"]
[routes.hashed]
policy = "weighted"
members = ["a", "b"]
sticky = true
[routes.ring]
policy = "multivalue"
members = ["a", "b", "c", "d", "e", "f", "many"]
max_answers = 32
[routes.closed]
policy = "failover"
members = ["e"]
[zones."example.com"]
file = "zone"
[zones."example.com".steer]
"www" = { route = "main", ttl = "60s" }
"@" = { route = "main", ttl = "60s" }
"*.apps" = { route = "main", ttl = "30s" }
"geo" = { route = "places", ttl = "60s" }
"sorry" = { route = "sorry", ttl = "60s" }
"into" = { route = "into", ttl = "60s" }
"through" = { route = "through", ttl = "60s" }
"lone" = { route = "lone", ttl = "60s" }
"hashed" = { route = "hashed", ttl = "60s" }
"ring" = { route = "ring", ttl = "60s" }
"nodata" = { route = "closed", ttl = "60s", ttl_min = "7s", when_all_down = "nodata" }
"servfail" = { route = "closed", ttl = "60s", when_all_down = "servfail" }
)";

struct How {
    std::string_view subnet = {};              // ECS
    std::string_view source = "198.51.100.7";  // who sends
    bool edns = false;                         // also without ECS
    std::uint16_t udp_size = 1232;
    Transport transport = Transport::Udp;
    bool nsid = false;
    dns::RrClass rrclass = dns::RrClass::IN;
    std::uint64_t draw = 1;
};

class Asking : public Steering {
  public:
    Asking() : Asking(build(kAnswerConfig, kZoneLines)) {}

    explicit Asking(Built from_elsewhere) : Steering(std::move(from_elsewhere)) { refresh(); }

    /// After health was changed.
    void refresh() {
        publish();
        snapshot.plan = built.plan;
        snapshot.health = health;
    }

    Outcome send(std::span<const std::uint8_t> packet, const How& how = {},
                 Trace* trace = nullptr) {
        const auto source = base::IpAddress::parse(how.source);
        Request request;
        request.query = packet;
        request.client = *source;
        request.transport = how.transport;
        request.now.mono = now;
        request.draw = how.draw;
        (void)read_ahead(snapshot, std::span(&request, 1));  // as the server does, and no harm
        last = answer(snapshot, request, out, trace);
        return last;
    }

    /// `question` is "name TYPE".
    dns::Message ask(std::string_view question, const How& how = {}, Trace* trace = nullptr) {
        const std::size_t space = question.find(' ');
        const auto name = dns::Name::parse(question.substr(0, space));
        const auto type = dns::parse_type(question.substr(space + 1));
        dns::QueryOptions options;
        options.id = 77;
        options.rrclass = how.rrclass;
        if (how.edns || how.nsid || !how.subnet.empty()) {
            options.edns.emplace();
            options.edns->udp_size = how.udp_size;
            options.edns->nsid = how.nsid;
            if (!how.subnet.empty()) {
                options.edns->subnet = net(how.subnet);
            }
        }
        const auto packet = dns::compose_query(*name, *type, options);
        const Outcome outcome = send(packet, how, trace);
        auto parsed = dns::parse_message(std::span(out).first(outcome.size));
        EXPECT_TRUE(parsed.ok()) << question << ": " << (parsed.ok() ? "" : parsed.error());
        return parsed.ok() ? *parsed : dns::Message{};
    }

    std::string text(std::string_view question, const How& how = {}) {
        return text_of(ask(question, how));
    }

    static std::string text_of(const dns::Message& message) {
        std::string line = dns::to_text(message.rcode);
        line += message.authoritative ? " aa" : "";
        line += message.truncated ? " tc" : "";
        for (const auto section :
             {dns::Section::Answer, dns::Section::Authority, dns::Section::Additional}) {
            std::string records;
            for (const dns::Record& record : message.section(section)) {
                records += (records.empty() ? "" : "; ") + record.text();
            }
            line += " | " + records;
        }
        while (line.size() > 2 && (line.back() == ' ' || line.back() == '|')) {
            line.pop_back();
        }
        return line;
    }

    Snapshot snapshot;
    std::array<std::uint8_t, kMaxTcpAnswer> out{};
    Outcome last;
};

inline const std::string kSoa =
    "example.com. 300 IN SOA ns1.example.net. admin.example.net. 1 3600 600 86400 300";

}  // namespace steerd::policy::testing
