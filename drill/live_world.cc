// Setting up and taking down. What happens in between is in live_world_events.cc.
#include "drill/live_world.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace steerd::drill {

using config::index;

namespace {

constexpr base::Duration kStartLimit = std::chrono::seconds(30);
constexpr int kPollMs = 20;
constexpr int kPortTries = 50;

std::uint64_t some_bits() {
    std::uint64_t bits = 0;
    (void)!::getrandom(&bits, sizeof bits, 0);
    return bits;
}

/// x and y of 127.x.y.0; drills side by side each have one of their own with luck, and else find
/// the ports taken and take others.
std::uint16_t some_network() {
    const std::uint64_t bits = some_bits();
    return static_cast<std::uint16_t>((64 + bits % 64) << 8U | (bits >> 32U) % 256);
}

/// Bound, but not listening: nobody else gets the port, and who connects is refused.
LiveFd bound_socket(const base::IpAddress& address, std::uint16_t port) {
    LiveFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int yes = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(address.v4_value());
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
    if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
        return {};
    }
    return fd;
}

std::uint16_t port_of(const LiveFd& fd) {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size);
    return ntohs(at.sin_port);
}

}  // namespace

LiveWorld::LiveWorld(const Scenario& scenario, const Bound& bound, LiveOptions options)
    : scenario_(scenario),
      bound_(bound),
      options_(std::move(options)),
      server_(options_.program, folder_.path()),
      truth_(bound.plan, scenario.type, scenario.seed) {
    log_.in_force.assign(scenario.events.size(), base::kNever);
    for (std::size_t i = 0; i < bound.plan->endpoints.size(); ++i) {
        judged_by_.push_back(truth_.addresses(static_cast<policy::EndpointId>(i)));
    }
}

std::unique_ptr<LiveWorld> LiveWorld::start(const Scenario& scenario, const Bound& bound,
                                            LiveOptions options, base::Problems& problems) {
    std::unique_ptr<LiveWorld> world(new LiveWorld(scenario, bound, std::move(options)));
    const std::size_t errors = problems.error_count();
    const auto failed = world->set_up(problems);
    if (failed) {
        problems.error({}, *failed);
    }
    return problems.error_count() > errors ? nullptr : std::move(world);
}

LiveWorld::~LiveWorld() {
    server_.kill();
    sites_.clear();  // before their directory
}

std::optional<std::string> LiveWorld::set_up(base::Problems& problems) {
    if (folder().empty()) {
        return fmt::format("no directory for the drill: {}", std::strerror(errno));
    }
    const std::size_t errors = problems.error_count();
    layout_ = lay_out(scenario_, bound_, some_network(), problems);
    if (problems.error_count() > errors) {
        return std::nullopt;
    }
    if (const auto failed = reserve_ports()) {
        return failed;
    }
    config_ =
        live_config(scenario_, bound_, layout_, folder(), {options_.names, options_.names_ttl_s});
    for (const SitePlan& plan : layout_.sites) {
        sites_.push_back(std::make_unique<LiveSite>(plan));
        if (const auto failed = sites_.back()->start()) {
            return failed;
        }
    }
    if (const auto failed = write_config()) {
        return failed;
    }
    if (const auto failed = server_.start()) {
        return failed;
    }
    notes_ = layout_.notes;
    zero_ = clock_.now().mono;
    return wait_for_server();
}

/// For each probe one port that is free at every site that has it.
std::optional<std::string> LiveWorld::reserve_ports() {
    std::vector<std::uint16_t> ports;
    for (std::size_t probe = 0; probe < bound_.plan->model->probes.size(); ++probe) {
        std::vector<base::IpAddress> addresses;
        for (const SitePlan& site : layout_.sites) {
            if (std::any_of(site.ports.begin(), site.ports.end(),
                            [&](const SitePort& port) { return port.port == probe; })) {
                addresses.push_back(site.address);
            }
        }
        std::uint16_t port = addresses.empty() ? 1 : 0;
        for (int tries = 0; port == 0 && tries < kPortTries; ++tries) {
            std::vector<LiveFd> sockets;
            std::uint16_t wanted = 0;
            for (const auto& address : addresses) {
                sockets.push_back(bound_socket(address, wanted));
                if (!sockets.back()) {
                    break;
                }
                wanted = port_of(sockets.back());
            }
            if (sockets.back()) {
                port = wanted;
                std::move(sockets.begin(), sockets.end(), std::back_inserter(reserved_));
            }
        }
        if (port == 0) {
            return "no port is free on the loopback addresses of the endpoints";
        }
        ports.push_back(port);
    }
    set_ports(bound_, ports, layout_);
    return std::nullopt;
}

std::optional<std::string> LiveWorld::write_config() const {
    const auto file = folder() / "steerd.toml";
    const auto next = folder() / "steerd.toml.new";
    std::ofstream out(next, std::ios::binary | std::ios::trunc);
    out << config::toml_text(config_);
    out.close();
    std::error_code error;
    std::filesystem::rename(next, file, error);
    if (!out || error) {
        return fmt::format("{} cannot be written", file.string());
    }
    return std::nullopt;
}

std::optional<std::string> LiveWorld::wait_for_server() {
    const base::Mono deadline = clock_.now().mono + kStartLimit;
    while (server_.find("ready", 0) == nullptr) {
        pollfd log{server_.log_fd(), POLLIN, 0};
        ::poll(&log, 1, kPollMs);
        hear();
        const bool ended = server_.ended_by_itself();
        if (ended || clock_.now().mono > deadline) {
            hear();
            return fmt::format("the server {}:{}", ended ? "ended" : "was not ready in time",
                               server_.last_words());
        }
        if (options_.cancelled && options_.cancelled()) {
            return "interrupted";
        }
    }
    constexpr std::string_view kListening = "listening on ";
    const ServerWord* word = server_.find(kListening, 0);
    if (word == nullptr) {
        return "the server does not say where it listens";
    }
    const auto at = word->text.find(kListening) + kListening.size();
    const auto address = base::SocketAddress::parse(word->text.substr(at));
    if (!address) {
        return "the server does not say where it listens";
    }
    server_address_ = *address;
    // It comes back there after a restart.
    set_value(config::table_at(config_, "server"), "listen",
              config::toml_strings({address->text()}));
    return std::nullopt;
}

std::string LiveWorld::name(std::size_t number) const {
    const std::string apex = zone().to_text();
    return fmt::format("n{}.{}.{}", number, kNamesLabel, apex == "." ? "" : apex);
}

const dns::Name& LiveWorld::zone() const noexcept {
    const auto& plan = *bound_.plan;
    return plan.zones[plan.steered[index(bound_.steered)].zone].config->apex;
}

std::optional<policy::EndpointId> LiveWorld::endpoint_at(const base::IpAddress& address) const {
    for (std::size_t i = 0; i < layout_.endpoints.size(); ++i) {
        const auto& live = layout_.endpoints[i].live;
        if (std::find(live.begin(), live.end(), address) != live.end()) {
            return static_cast<policy::EndpointId>(i);
        }
    }
    return std::nullopt;
}

void LiveWorld::begin(base::Mono zero) {
    const base::Duration later = zero - zero_;
    for (DrillLog::Belief& belief : log_.beliefs) {
        belief.at -= later;
    }
    for (base::Mono& turn : turns_) {
        turn -= later;
    }
    zero_ = zero;
}

base::Mono LiveWorld::now() const noexcept { return since_begin(clock_.now().mono); }

base::Mono LiveWorld::since_begin(base::Mono at) const noexcept { return base::Mono{at - zero_}; }

}  // namespace steerd::drill
