// Any octets as what an endpoint or resolver sends to a probe: a DNS message as the dns probe and
// the resolution of CNAME targets judge it, a body as the http probe searches it in pieces, and
// resolv.conf as it is read at start. First octet: which of these. Thread rule: one thread.
#include <string>

#include "dns/message.h"
#include "health/probers/body_search.h"
#include "health/probers/dns_job.h"
#include "health/probers/resolver.h"
#include "target.h"

namespace {

using namespace steerd;           // NOLINT: one file, one purpose
using namespace steerd::probers;  // NOLINT

void dns_message(const fuzz::Input& input) {
    const auto message = dns::parse_message({input.data(), input.size()});
    if (!message) {
        return;
    }
    for (const auto type : {dns::RrType::A, dns::RrType::AAAA, dns::RrType::SOA}) {
        fuzz::require(!judge_message(*message, type).reason.empty(), "a judgement says why");
    }
    static const dns::Name name = *dns::Name::parse("target.example.net.");
    const FamilyAnswer a = read_answer(*message, name, dns::RrType::A);
    const FamilyAnswer aaaa = read_answer(*message, name, dns::RrType::AAAA);
    static_cast<void>(combine(a, aaaa));
    for (const auto& record : message->records) {
        static_cast<void>(record.text());
    }
}

/// The same body in one piece and in many says the same.
void body(fuzz::Input input) {
    const std::size_t piece = input.octet() % 7U + 1U;
    const std::string_view text = input.text();
    BodySearch whole("needle", 64);
    whole.feed(text);
    BodySearch parts("needle", 64);
    for (std::size_t at = 0; at < text.size(); at += piece) {
        parts.feed(text.substr(at, piece));
    }
    fuzz::require(whole.state() == parts.state(), "pieces make no difference");
    const bool there = text.substr(0, 64).find("needle") != std::string_view::npos;
    fuzz::require((whole.state() == BodySearch::State::Found) == there, "found where it is");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    switch (input.octet() % 3U) {
        case 0:
            dns_message(input);
            break;
        case 1:
            body(input);
            break;
        default:
            static_cast<void>(first_nameserver(input.text()));
            break;
    }
    return 0;
}
