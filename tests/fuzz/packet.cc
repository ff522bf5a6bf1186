// Any octets as a query, over UDP and TCP, through the one door, with some health and some client.
// What must hold: the size is within the transport's limit; what is sent is a message that reads
// back, with the query's id, as a response; a trace changes no octet; over UDP an answer to a
// query without EDNS has at most 512 octets.
// First octets: choices (transport, health, client), then the query. Thread rule: one thread.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "dns/message.h"
#include "policy/ahead.h"
#include "policy/answer.h"
#include "policy/trace.h"
#include "scene.h"
#include "target.h"

namespace {

using namespace steerd;          // NOLINT: one file, one purpose
using namespace steerd::policy;  // NOLINT

struct Replied {
    std::vector<std::uint8_t> octets;
    Outcome outcome;
};

Replied ask(const Snapshot& snapshot, const Request& request, Trace* trace) {
    const bool udp = request.transport == Transport::Udp;
    Replied replied;
    replied.octets.resize(udp ? kMaxUdpAnswer : kMaxTcpAnswer);
    replied.outcome = answer(snapshot, request, replied.octets, trace);
    fuzz::require(replied.outcome.size <= replied.octets.size(), "the size is within the limit");
    replied.octets.resize(replied.outcome.size);
    return replied;
}

void check_reply(const Request& request, const Replied& replied) {
    if (replied.octets.empty()) {
        return;
    }
    fuzz::require(request.query.size() >= 2, "no answer to less than an id");
    const auto message = dns::parse_message(replied.octets);
    fuzz::require(bool(message), "the reply reads back");
    fuzz::require(message->response, "the reply is a response");
    fuzz::require(
        std::equal(request.query.begin(), request.query.begin() + 2, replied.octets.begin()),
        "the reply has the query's id");
    if (request.transport == Transport::Udp && !message->edns) {
        fuzz::require(replied.octets.size() <= 512, "512 octets without EDNS");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::vector<Snapshot> all = fuzz::snapshots();
    static const std::array<base::IpAddress, 4> clients = {
        *base::IpAddress::parse("203.0.113.9"), *base::IpAddress::parse("198.19.1.2"),
        *base::IpAddress::parse("2001:db8:1::9"), *base::IpAddress::parse("127.0.0.1")};
    fuzz::Input input(data, size);
    const std::uint8_t choice = input.octet();
    Request request;
    request.transport = (choice & 1U) != 0 ? Transport::Tcp : Transport::Udp;
    request.client = clients[(choice >> 1U) % clients.size()];
    request.query = {input.data(), input.size()};
    request.draw = choice * 0x9E3779B97F4A7C15U;
    const Snapshot& snapshot = all[(choice >> 3U) % all.size()];

    const std::array<Request, 2> batch = {request, request};
    const Ahead ahead = read_ahead(snapshot, batch);
    fuzz::require(ahead.names % 2 == 0 && ahead.names <= 2, "one name for each query at most");
    const Replied plain = ask(snapshot, request, nullptr);
    check_reply(request, plain);
    Trace trace;
    fuzz::require(ask(snapshot, request, &trace).octets == plain.octets,
                  "a trace changes no octet");
    return 0;
}
