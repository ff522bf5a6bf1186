// What answer() makes of zones: RFC 1034 §4.3.2, 2308, 4592, 6604, 6672, 8482, 9471.
#include <gtest/gtest.h>

#include <algorithm>

#include "asking.h"

namespace steerd::policy::testing {
namespace {

struct Row {
    const char* question;
    std::string answer;
};

void expect_all(Asking& s, const std::vector<Row>& rows, const How& how = {}) {
    for (const Row& row : rows) {
        EXPECT_EQ(s.text(row.question, how), row.answer) << row.question;
    }
}

const std::string kMail = "mail.example.com. 3600 IN A 192.0.2.250";

TEST(ZoneAnswers, RecordsNodataAndNxdomain) {
    Asking s;
    expect_all(s, {{"mail.example.com A", "NOERROR aa | " + kMail},
                   {"mail.example.com AAAA", "NOERROR aa |  | " + kSoa},
                   {"mail.example.com TYPE300", "NOERROR aa |  | " + kSoa},
                   {"mail.example.com TYPE65535", "NOERROR aa |  | " + kSoa},
                   {"nothing.example.com A", "NXDOMAIN aa |  | " + kSoa},
                   {"ent.example.com A", "NOERROR aa |  | " + kSoa},
                   {"weird.example.com TYPE65534",
                    "NOERROR aa | weird.example.com. 3600 IN TYPE65534 \\# 3 010203"},
                   {"example.com NS", "NOERROR aa | example.com. 3600 IN NS ns1.example.net."},
                   {"www.example.com MX",
                    "NOERROR aa | www.example.com. 3600 IN MX 10 "
                    "mail.example.com. |  | " +
                        kMail}});
}

TEST(ZoneAnswers, OutsideAllZonesIsRefusedWithoutAa) {
    Asking s;
    expect_all(s, {{"example.net A", "REFUSED"}, {"com A", "REFUSED"}, {". NS", "REFUSED"}});
    EXPECT_EQ(s.last.kind, AnswerKind::Refused);
    EXPECT_EQ(s.last.zone, kNone);
}

TEST(ZoneAnswers, Wildcards) {
    Asking s;
    expect_all(s, {{"any.wild.example.com A",
                    "NOERROR aa | any.wild.example.com. 3600 IN A "
                    "192.0.2.200"},
                   {"a.b.wild.example.com A",
                    "NOERROR aa | a.b.wild.example.com. 3600 IN A "
                    "192.0.2.200"},
                   {"*.wild.example.com A",
                    "NOERROR aa | *.wild.example.com. 3600 IN A "
                    "192.0.2.200"},
                   {"any.wild.example.com MX", "NOERROR aa |  | " + kSoa},
                   {"y.taken.wild.example.com A", "NXDOMAIN aa |  | " + kSoa},
                   {"taken.wild.example.com A", "NOERROR aa |  | " + kSoa},
                   {"wild.example.com A", "NOERROR aa |  | " + kSoa}});
}

TEST(ZoneAnswers, CnamesAreFollowedInTheZone) {
    Asking s;
    expect_all(
        s, {{"alias.example.com A",
             "NOERROR aa | alias.example.com. 3600 IN CNAME mail.example.com.; " + kMail},
            {"alias.example.com CNAME",
             "NOERROR aa | alias.example.com. 3600 IN CNAME "
             "mail.example.com."},
            {"alias.example.com ANY",
             "NOERROR aa | alias.example.com. 3600 IN CNAME "
             "mail.example.com."},
            {"alias.example.com MX",
             "NOERROR aa | alias.example.com. 3600 IN CNAME mail.example.com. | " + kSoa},
            {"away.example.com A", "NOERROR aa | away.example.com. 3600 IN CNAME www.example.net."},
            {"dangling.example.com A",
             "NXDOMAIN aa | dangling.example.com. 3600 IN CNAME nothing.example.com. | " + kSoa},
            {"aliasnodata.example.com A",
             "NOERROR aa | aliasnodata.example.com. 3600 IN CNAME txt.example.com. | " + kSoa},
            {"towww.example.com A",
             "NOERROR aa | towww.example.com. 3600 IN CNAME www.example.com.; "
             "www.example.com. 60 IN A 192.0.2.1"}});
}

TEST(ZoneAnswers, ChainsOfNineAreFollowedAndLoopsEnd) {
    Asking s;
    const dns::Message chain = s.ask("chain1.example.com A");
    ASSERT_EQ(chain.section(dns::Section::Answer).size(), 9U);
    EXPECT_EQ(chain.section(dns::Section::Answer).back().text(), kMail);
    const dns::Message loop = s.ask("loop1.example.com A", {.edns = true});
    EXPECT_EQ(loop.rcode, dns::Rcode::NoError);
    EXPECT_EQ(loop.section(dns::Section::Answer).size(), 2U) << "each record once";
}

TEST(ZoneAnswers, Dname) {
    Asking s;
    const std::string dname = "old.example.com. 3600 IN DNAME new.example.com.";
    const std::string to_x = "x.old.example.com. 3600 IN CNAME x.new.example.com.";
    expect_all(s, {{"x.old.example.com A", "NOERROR aa | " + dname + "; " + to_x +
                                               "; x.new.example.com. 3600 IN A 192.0.2.220"},
                   {"x.old.example.com CNAME", "NOERROR aa | " + dname + "; " + to_x},
                   {"y.old.example.com A",
                    "NXDOMAIN aa | " + dname +
                        "; y.old.example.com. 3600 IN CNAME y.new.example.com. | " + kSoa},
                   {"old.example.com DNAME", "NOERROR aa | " + dname},
                   {"old.example.com A", "NOERROR aa |  | " + kSoa}});
    const dns::Message grows = s.ask("x.deeper.example.com A", {.edns = true});
    const auto answer = grows.section(dns::Section::Answer);
    EXPECT_GT(answer.size(), 10U);
    EXPECT_EQ(std::count_if(answer.begin(), answer.end(),
                            [](const auto& r) { return r.type == dns::RrType::DNAME; }),
              1)
        << "one that leads below itself";
    const std::string label(63, 'z');
    const dns::Message too_long = s.ask(label + ".long.example.com A", {.edns = true});
    EXPECT_EQ(static_cast<int>(too_long.rcode), 6) << "YXDOMAIN";
    EXPECT_EQ(too_long.section(dns::Section::Answer).size(), 1U);
}

TEST(ZoneAnswers, ReferralsAreNotAuthoritativeAndCarryGlue) {
    Asking s;
    const std::string referral =
        "NOERROR |  | sub.example.com. 3600 IN NS ns1.sub.example.com.; "
        "sub.example.com. 3600 IN NS ns.other.example.com.; "
        "sub.example.com. 3600 IN NS ns.example.net. | "
        "ns1.sub.example.com. 3600 IN A 192.0.2.210; "
        "ns1.sub.example.com. 3600 IN AAAA 2001:db8::210; "
        "ns.other.example.com. 3600 IN A 192.0.2.211";
    expect_all(s, {{"sub.example.com A", referral},
                   {"sub.example.com NS", referral},
                   {"deep.x.sub.example.com MX", referral},
                   {"ns1.sub.example.com A", referral}});
    EXPECT_EQ(s.last.kind, AnswerKind::Referral);
    const dns::Message ds = s.ask("sub.example.com DS");
    EXPECT_TRUE(ds.authoritative);
    EXPECT_EQ(ds.section(dns::Section::Answer).size(), 1U);
    const dns::Message into = s.ask("intosub.example.com A");
    EXPECT_TRUE(into.authoritative) << "for the name that was asked";
    EXPECT_EQ(into.section(dns::Section::Answer).size(), 1U);
    EXPECT_EQ(into.section(dns::Section::Authority).size(), 3U);
}

TEST(ZoneAnswers, AnyIsOneRrset) {
    Asking s;
    for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
        const How how{.transport = transport};
        expect_all(s,
                   {{"mail.example.com ANY", "NOERROR aa | " + kMail},
                    {"any.wild.example.com ANY",
                     "NOERROR aa | any.wild.example.com. 3600 IN A 192.0.2.200"},
                    {"geo.example.com ANY", "NOERROR aa | geo.example.com. 60 IN A 192.0.2.2"},
                    {"nothing.example.com ANY", "NXDOMAIN aa |  | " + kSoa}},
                   how);
    }
    EXPECT_EQ(s.last.kind, AnswerKind::Any);
    (void)s.ask("lone.example.com ANY");
    EXPECT_EQ(s.last.kind, AnswerKind::Any);
}

TEST(ZoneAnswers, CaseIsEchoedAndDoesNotMatter) {
    Asking s;
    const dns::Message m = s.ask("MaIl.eXample.COM A");
    EXPECT_EQ(m.questions.at(0).name.to_text(), "MaIl.eXample.COM.");
    EXPECT_EQ(m.section(dns::Section::Answer).at(0).owner.to_text(), "MaIl.eXample.COM.");
}

TEST(ZoneAnswers, ParentChildAndUnavailableZones) {
    const std::string config = kAnswerConfig +
                               "[zones.\"sub.example.com\"]\nfile = \"s\"\n"
                               "[zones.\"bad.example.com\"]\nfile = \"b\"\n";
    Built built = prepare(config, kZoneLines);
    const config::Model& model = *built.input.model;
    for (std::size_t i = 0; i < model.zones.size(); ++i) {
        const std::string apex = model.zones[i].apex.to_text();
        if (apex == "sub.example.com.") {
            built.input.zones[i].zone = make_zone(model, model.zones[i], "host A 192.0.2.111\n");
        } else if (apex == "bad.example.com.") {
            built.input.zones[i].zone = nullptr;
        }
    }
    built.compile();
    Asking s(std::move(built));
    expect_all(
        s, {{"host.sub.example.com A", "NOERROR aa | host.sub.example.com. 3600 IN A 192.0.2.111"},
            {"x.bad.example.com A", "SERVFAIL"},
            {"bad.example.com SOA", "SERVFAIL"}});
    EXPECT_EQ(s.last.kind, AnswerKind::Unavailable);
    EXPECT_TRUE(s.ask("sub.example.com DS").authoritative);
    EXPECT_EQ(s.ask("sub.example.com DS").section(dns::Section::Answer).size(), 1U)
        << "DS stands at the parent";
    expect_all(s, {{"sub.example.com NS",
                    "NOERROR aa | sub.example.com. 3600 IN NS "
                    "ns1.example.net."}});
}

TEST(ZoneAnswers, TransfersAreRefusedAndMetaTypesAreNoQuestions) {
    Asking s;
    expect_all(s, {{"example.com AXFR", "REFUSED"},
                   {"example.com IXFR", "REFUSED"},
                   {"www.example.com AXFR", "NOTAUTH"},
                   {"example.net IXFR", "NOTAUTH"},
                   {"example.com TYPE41", "FORMERR"},
                   {"example.com TSIG", "FORMERR"},
                   {"example.com TKEY", "NOTIMP"},
                   {"example.com TYPE254", "NOTIMP"}});
}

TEST(ZoneAnswers, Classes) {
    Asking s;
    EXPECT_EQ(s.text("mail.example.com A", {.rrclass = dns::RrClass::ANY}),
              "NOERROR aa | " + kMail);
    EXPECT_EQ(s.text("mail.example.com A", {.rrclass = dns::RrClass::HS}), "REFUSED");
    const How chaos{.rrclass = dns::RrClass::CH};
    EXPECT_EQ(s.text("id.server TXT", chaos), "NOERROR aa | id.server. 0 CH TXT \"tyo-1\"");
    EXPECT_EQ(s.text("HOSTNAME.bind TXT", chaos), "NOERROR aa | HOSTNAME.bind. 0 CH TXT \"tyo-1\"");
    EXPECT_EQ(s.text("version.bind TXT", chaos), "REFUSED");
    EXPECT_EQ(s.text("id.server A", chaos), "REFUSED");
    EXPECT_EQ(s.text("mail.example.com A", chaos), "REFUSED");
}

TEST(ZoneAnswers, HeaderBits) {
    Asking s;
    const auto name = dns::Name::parse("mail.example.com");
    dns::QueryOptions options;
    options.recursion_desired = true;
    auto packet = dns::compose_query(*name, dns::RrType::A, options);
    packet[2] = static_cast<std::uint8_t>(packet[2] | 0x06);  // AA and TC
    packet[3] = 0xF0;                                         // RA, Z, AD, CD
    const Outcome outcome = s.send(packet);
    ASSERT_GT(outcome.size, 12U);
    EXPECT_EQ(s.out[2], 0x85) << "QR, AA, RD";
    EXPECT_EQ(s.out[3], 0x00) << "no RA, Z, AD, CD";
    EXPECT_TRUE(std::equal(packet.begin() + 12, packet.end(), s.out.begin() + 12));
    packet[2] = 0x80;
    EXPECT_EQ(s.send(packet).size, 0U) << "a response is never answered";
    packet[2] = 0x28;  // UPDATE
    EXPECT_EQ(s.send(packet).rcode, dns::Rcode::NotImp);
    EXPECT_EQ(s.last.kind, AnswerKind::NotImplemented);
    EXPECT_EQ(s.send(std::span(packet).first(11)).size, 0U);
    packet[2] = 0;
    EXPECT_EQ(s.send(std::span(packet).first(packet.size() - 1)).rcode, dns::Rcode::FormErr);
}

}  // namespace
}  // namespace steerd::policy::testing
