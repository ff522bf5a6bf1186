#include "drill/validate_relay.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "dns/message.h"
#include "dns/wire.h"
#include "drill/validate_sockets.h"

namespace steerd::drill {

namespace {

constexpr std::size_t kMostMessage = 4096;
constexpr std::size_t kHeader = 12;
constexpr std::size_t kAdditionalCount = 10;  // offset of ARCOUNT
constexpr std::size_t kIds = 65536;
constexpr int kPollMs = 20;

/// The offset of the OPT, which our server writes last; nullopt where there is none.
std::optional<std::size_t> opt_offset(std::span<const std::uint8_t> message) {
    dns::WireReader in(message, 4);
    const unsigned questions = in.u16();
    const unsigned records = in.u16() + 0U + in.u16() + in.u16();
    for (unsigned i = 0; i < questions && in.ok(); ++i) {
        in.skip_name();
        static_cast<void>(in.take(4));
    }
    for (unsigned i = 0; i < records && in.ok(); ++i) {
        const std::size_t start = in.at();
        in.skip_name();
        const auto type = static_cast<dns::RrType>(in.u16());
        static_cast<void>(in.take(6));
        static_cast<void>(in.take(in.u16()));
        if (in.ok() && type == dns::RrType::OPT) {
            return start;
        }
    }
    return std::nullopt;
}

/// Drops what the resolver did not ask with: the client subnet, and without EDNS the whole OPT.
void shorten(std::vector<std::uint8_t>& answer, bool edns) {
    const auto opt = opt_offset(answer);
    constexpr std::size_t kOptHeader = 11;  // the root, type, size, flags, length
    if (!opt || answer.size() < *opt + kOptHeader) {
        return;
    }
    if (edns) {
        answer.resize(*opt + kOptHeader);
        dns::store_u16(&answer[*opt + kOptHeader - 2], 0);
        return;
    }
    answer.resize(*opt);
    const std::uint16_t count = dns::load_u16(&answer[kAdditionalCount]);
    dns::store_u16(&answer[kAdditionalCount], static_cast<std::uint16_t>(count - 1));
}

}  // namespace

std::optional<Told> told_in(std::span<const std::uint8_t> message, dns::RrType type,
                            const IsDead& dead) {
    const auto parsed = dns::parse_message(message);
    if (!parsed || parsed->rcode != dns::Rcode::NoError) {
        return std::nullopt;
    }
    std::optional<Told> out;
    for (const dns::Record& record : parsed->records) {
        if (record.section != dns::Section::Answer || record.type != type) {
            continue;
        }
        const auto family = type == dns::RrType::A ? base::IpFamily::V4 : base::IpFamily::V6;
        if (record.rdata.size() != base::bits_of(family) / 8U) {
            continue;
        }
        const auto address = base::IpAddress::from_octets(family, record.rdata);
        const bool old = dead(address);
        const std::uint32_t ttl = record.ttl.seconds();
        out = out ? Told{out->old || old, std::min(out->ttl_s, ttl)} : Told{old, ttl};
    }
    return out;
}

ValidateRelay::ValidateRelay(RelayOptions options, std::size_t resolvers)
    : options_(std::move(options)), lanes_(resolvers) {}

ValidateRelay::~ValidateRelay() { stop(); }

std::optional<std::string> ValidateRelay::start() {
    for (Lane& lane : lanes_) {
        lane.down = loopback_socket();
        lane.up = connected_socket(options_.server);
        if (!lane.down || !lane.up) {
            return fmt::format("no socket for a resolver's fetches: {}", std::strerror(errno));
        }
        lane.port = port_of(lane.down);
        lane.pending.resize(kIds);
    }
    thread_ = std::thread([this] { run(); });
    return std::nullopt;
}

void ValidateRelay::stop() {
    ends_ = true;
    if (thread_.joinable()) {
        thread_.join();
    }
}

double ValidateRelay::since_zero(base::Mono at) const noexcept {
    return std::chrono::duration<double>(at - options_.zero).count();
}

void ValidateRelay::run() {
    std::vector<pollfd> ready;
    for (const Lane& lane : lanes_) {
        ready.push_back({lane.down.get(), POLLIN, 0});
        ready.push_back({lane.up.get(), POLLIN, 0});
    }
    while (!ends_) {
        if (::poll(ready.data(), ready.size(), kPollMs) <= 0) {
            continue;
        }
        for (std::size_t i = 0; i < lanes_.size(); ++i) {
            if (ready[2 * i].revents != 0) {
                from_resolver(lanes_[i]);
            }
            if (ready[2 * i + 1].revents != 0) {
                from_server(lanes_[i]);
            }
        }
    }
}

void ValidateRelay::from_resolver(Lane& lane) {
    std::array<std::uint8_t, kMostMessage> buffer;
    Pending pending;
    socklen_t size = sizeof pending.from;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
    auto* const from = reinterpret_cast<sockaddr*>(&pending.from);
    const auto got = ::recvfrom(lane.down.get(), buffer.data(), buffer.size(), 0, from, &size);
    if (got < static_cast<ssize_t>(kHeader)) {
        return;
    }
    const auto query = dns::parse_message(std::span(buffer).first(static_cast<std::size_t>(got)));
    if (!query || query->response || query->questions.size() != 1) {
        return;
    }
    const dns::Question& question = query->questions[0];
    pending.id = query->id;
    pending.edns = query->edns.has_value();
    pending.asked_s = since_zero(clock_.now().mono);
    if (question.type == options_.type) {
        pending.name = options_.number(question.name);
    }
    dns::QueryOptions options;
    options.id = lane.next_id++;
    options.edns.emplace();
    options.edns->subnet = options_.client;
    const auto wire = dns::compose_query(question.name, question.type, options);
    lane.pending[options.id] = pending;
    // A datagram that cannot be sent is lost, as datagrams are; the resolver asks again.
    static_cast<void>(::send(lane.up.get(), wire.data(), wire.size(), 0));
}

void ValidateRelay::from_server(Lane& lane) {
    std::vector<std::uint8_t> answer(kMostMessage);
    const auto got = ::recv(lane.up.get(), answer.data(), answer.size(), 0);
    if (got < static_cast<ssize_t>(kHeader)) {
        return;
    }
    answer.resize(static_cast<std::size_t>(got));
    Pending& pending = lane.pending[dns::load_u16(answer.data())];
    if (pending.asked_s < 0) {
        return;
    }
    const auto told = pending.name ? told_in(answer, options_.type, options_.dead) : std::nullopt;
    shorten(answer, pending.edns);
    dns::store_u16(answer.data(), pending.id);
    const base::Now now = clock_.now();
    static_cast<void>(::sendto(lane.down.get(), answer.data(), answer.size(), 0,
                               // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
                               reinterpret_cast<const sockaddr*>(&pending.from),
                               sizeof pending.from));
    if (told && lane.fetches.size() < kMostFetches) {
        const double at = since_zero(now.mono);
        lane.fetches.push_back({*pending.name, pending.asked_s, at, at - second_fraction(now.wall),
                                told->ttl_s, told->old});
    }
    pending.asked_s = -1;
}

}  // namespace steerd::drill
