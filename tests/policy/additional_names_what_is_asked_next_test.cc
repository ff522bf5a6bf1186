// The additional section of an answer: addresses of the servers that records name, from the same
// zone, each RRset once, as far as there is room. RFC 1035 §3.3, RFC 2782, RFC 9460 §4.1.
#include "asking.h"

namespace steerd::policy::testing {
namespace {

const std::string kLines = R"(
@ NS ns1
@ NS ns.child
ns1 A 192.0.2.53
ns1 AAAA 2001:db8::53
mail A 192.0.2.25
old DNAME new
below.old A 192.0.2.66
child NS ns.child
ns.child A 192.0.2.54
*.wild A 192.0.2.99
alias CNAME mail
mx MX 10 mail
mx MX 20 mail
mx MX 30 MAIL
mx MX 40 www
mx MX 50 alias
mx MX 60 x.wild
mx MX 70 mail.example.net.
mx MX 80 below.old
mx MX 90 nothing
_sip._tcp SRV 0 0 5060 mail
own HTTPS 1 . alpn=h2
own A 192.0.2.1
own AAAA 2001:db8::1
*.own HTTPS 1 . alpn=h2
*.own A 192.0.2.2
www HTTPS 1 . alpn=h2
to HTTPS 0 svc
svc HTTPS 1 mail alpn=h3
svc A 192.0.2.3
gone HTTPS 0 .
tomx CNAME mx
)";

std::string additional(Asking& s, std::string_view question, const How& how = {}) {
    std::string records;
    for (const dns::Record& record : s.ask(question, how).section(dns::Section::Additional)) {
        records += (records.empty() ? "" : "; ") + record.owner.to_text() + " " +
                   dns::to_text(record.type) + " " + record.rdata_text();
    }
    EXPECT_FALSE(s.last.truncated) << question;
    return records;
}

Asking asking() { return Asking(build(kAnswerConfig, kLines)); }

TEST(Additional, ServersOfMxAndSrvOnceEachWhereTheZoneKnowsThem) {
    Asking s = asking();
    EXPECT_EQ(additional(s, "mx.example.com MX"), "mail.example.com. A 192.0.2.25")
        << "nothing steered, aliased, synthesised, foreign or occluded";
    EXPECT_EQ(additional(s, "tomx.example.com MX"), "mail.example.com. A 192.0.2.25");
    EXPECT_EQ(additional(s, "_sip._tcp.example.com SRV"), "mail.example.com. A 192.0.2.25");
}

TEST(Additional, ServersOfTheZoneItself) {
    Asking s = asking();
    EXPECT_EQ(additional(s, "example.com NS"),
              "ns1.example.com. A 192.0.2.53; ns1.example.com. AAAA 2001:db8::53");
}

TEST(Additional, ServiceBindingsNameThemselvesOrTheirTarget) {
    Asking s = asking();
    EXPECT_EQ(additional(s, "own.example.com HTTPS"),
              "own.example.com. A 192.0.2.1; own.example.com. AAAA 2001:db8::1");
    EXPECT_EQ(additional(s, "x.own.example.com HTTPS"), "x.own.example.com. A 192.0.2.2");
    EXPECT_EQ(additional(s, "to.example.com HTTPS"),
              "svc.example.com. A 192.0.2.3; svc.example.com. HTTPS "
              "\\# 27 0001046d61696c076578616d706c6503636f6d0000010003026833");
    EXPECT_EQ(additional(s, "svc.example.com HTTPS"), "mail.example.com. A 192.0.2.25");
    EXPECT_EQ(additional(s, "gone.example.com HTTPS"), "");
}

TEST(Additional, NothingThatDependsOnTheClient) {
    Asking s = asking();
    const How how{.subnet = "203.0.113.0/24"};
    EXPECT_EQ(additional(s, "www.example.com HTTPS", how), "");
    EXPECT_EQ(s.ask("www.example.com HTTPS", how).edns->subnet_scope, 0);
}

TEST(Additional, NothingForAnyAndWhatFitsOtherwise) {
    Asking s = asking();
    EXPECT_EQ(additional(s, "mx.example.com ANY"), "");
    std::string lines;
    for (int i = 0; i < 14; ++i) {
        const std::string server = "a-long-name-for-a-server-" + std::to_string(i);
        lines += "big MX 10 " + server + "\n" + server + " A 192.0.2.1\n" + server +
                 " AAAA 2001:db8::1\n";
    }
    Asking big(build(kAnswerConfig, lines));
    const auto count = [&](const How& how) {
        const auto message = big.ask("big.example.com MX", how);
        EXPECT_FALSE(message.truncated);
        EXPECT_EQ(message.section(dns::Section::Answer).size(), 14U);
        return message.section(dns::Section::Additional).size();
    };
    const auto fitting = count({.edns = true, .udp_size = 700});
    EXPECT_GT(fitting, 0U);
    EXPECT_LT(fitting, 28U);
    EXPECT_EQ(count({.transport = Transport::Tcp}), 28U);
}

}  // namespace
}  // namespace steerd::policy::testing
