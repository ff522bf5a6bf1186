#include "drill/validate_run.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "dns/message.h"
#include "drill/cache_state.h"
#include "drill/validate_sockets.h"

namespace steerd::drill {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr base::Duration kReadyLimit = seconds(20);
constexpr base::Duration kTryPatience = milliseconds(100);
constexpr base::Duration kWatchPatience = milliseconds(100);
constexpr double kWatchStepS = 0.01;
constexpr double kMissed = 1e-6;      // the chance to take a draw for the switch
constexpr double kSwitchLimitS = 90;  // detection may be slow: the configuration's intervals
constexpr double kLeadS = 0.2;        // from the start of the clock to the first question
constexpr int kStepMs = 5;

/// Sorted names, so that a name in any case finds its number.
std::unordered_map<dns::Name, std::uint32_t, dns::NameHash> numbers_of(
    const std::vector<dns::Name>& names) {
    std::unordered_map<dns::Name, std::uint32_t, dns::NameHash> out;
    for (std::uint32_t i = 0; i < names.size(); ++i) {
        out.emplace(names[i], i);
    }
    return out;
}

class Run {
  public:
    Run(const ValidateScene& scene, const std::vector<InstalledResolver>& installed,
        unsigned attempt)
        : scene_(scene), installed_(installed), attempt_(attempt) {}

    RunOutcome run() {
        zero_ = clock_.now().mono;
        out_.failure = start();
        if (out_.failure.empty()) {
            out_.failure = poll();
        }
        relay_->stop();
        for (std::size_t i = 0; i < lanes_.size(); ++i) {
            ResolverRun& run = out_.resolvers[lanes_[i]];
            run.log = poller_ ? poller_->take_log(i) : ResolverLog{};
            run.log.fetches = relay_->take_fetches(lanes_[i]);
            std::erase_if(run.log.fetches, [&](const LoggedFetch& fetch) {
                return fetch.answered_s < began_s_;  // while it was tried
            });
            run.facts = facts_;
            run.facts.model = run.kind->model();
        }
        return std::move(out_);
    }

  private:
    double now_s() const {
        return std::chrono::duration<double>(clock_.now().mono - zero_).count();
    }

    bool cancelled() {
        if (scene_.tick) {
            scene_.tick();
        }
        for (const auto& process : processes_) {
            process->read();
        }
        return scene_.cancelled && scene_.cancelled();
    }

    /// All side by side, so that the slowest sets the time.
    std::string start() {
        RelayOptions options;
        options.server = scene_.server;
        options.client = scene_.client;
        options.type = scene_.type;
        options.number = [this](const dns::Name& name) -> std::optional<std::uint32_t> {
            const auto found = numbers_.find(name);
            return found == numbers_.end() ? std::nullopt : std::optional(found->second);
        };
        options.dead = scene_.dead;
        options.zero = zero_;
        relay_ = std::make_unique<ValidateRelay>(std::move(options), installed_.size());
        if (const auto failed = relay_->start()) {
            return *failed;
        }
        for (std::size_t i = 0; i < installed_.size(); ++i) {
            out_.resolvers.push_back({installed_[i].kind, {}, {}, {}});
            processes_.push_back(nullptr);
            ports_.push_back(0);
            out_.resolvers[i].failure = launch(i);
        }
        std::vector<bool> ready(installed_.size(), false);
        const base::Mono deadline = clock_.now().mono + kReadyLimit;
        while (std::find(ready.begin(), ready.end(), false) != ready.end()) {
            for (std::size_t i = 0; i < installed_.size(); ++i) {
                ready[i] = ready[i] || !out_.resolvers[i].failure.empty() || answers(i, deadline);
            }
            if (cancelled()) {
                return "interrupted";
            }
        }
        for (std::size_t i = 0; i < installed_.size(); ++i) {
            if (out_.resolvers[i].failure.empty()) {
                lanes_.push_back(i);
            }
        }
        return {};
    }

    std::string launch(std::size_t i) {
        const ResolverKind& kind = *installed_[i].kind;
        ResolverPlace place;
        place.folder = scene_.folder / fmt::format("{}-{}", kind.program, attempt_);
        place.zone = scene_.zone;
        place.port = ports_[i] = free_port();
        place.forward = relay_->port(i);
        std::error_code error;
        std::filesystem::create_directory(place.folder, error);
        if (error || place.port == 0) {
            return error ? error.message() : "no port of loopback is free";
        }
        const ResolverFiles files = kind.files(place);
        if (auto failed = write_files(place, files)) {
            return *failed;
        }
        processes_[i] =
            std::make_unique<ResolverProcess>(installed_[i].program, files.arguments, place.folder);
        return processes_[i]->start().value_or("");
    }

    /// Whether this resolver is ready, or it is settled that it never will be.
    bool answers(std::size_t i, base::Mono deadline) {
        const base::SocketAddress at{base::IpAddress::v4(INADDR_LOOPBACK), ports_[i]};
        if (ask_once(at, scene_.names.back(), scene_, false, kTryPatience)) {
            return true;
        }
        ResolverProcess& process = *processes_[i];
        const bool ended = !process.running();
        if (!ended && clock_.now().mono < deadline) {
            return false;
        }
        process.read();
        out_.resolvers[i].failure =
            fmt::format("it {}: {}", ended ? "ended" : "did not answer in time", process.said());
        process.kill();
        return true;
    }

    std::string poll() {
        PollOptions options;
        options.names.assign(scene_.names.begin(), scene_.names.end() - 1);
        options.clocked = scene_.clocked;
        options.rate = scene_.rate;
        options.ttl_s = scene_.ttl_s;
        options.type = scene_.type;
        options.dead = scene_.dead;
        options.seed = scene_.seed + attempt_;
        facts_.rate = scene_.rate;
        facts_.clocked = scene_.clocked;
        facts_.names = static_cast<std::uint32_t>(options.names.size()) - scene_.clocked;
        began_s_ = now_s() + kLeadS;
        options.zero = zero_;
        options.start_s = began_s_;
        std::vector<PolledResolver> polled;
        double life = 0;
        for (const std::size_t lane : lanes_) {
            polled.push_back({ports_[lane], out_.resolvers[lane].kind->model()});
            const Lifetime held = lifetime_of(polled.back().model, scene_.ttl_s, false);
            life = std::max(life, held.base_s + held.window_s + 1);
        }
        poller_ = std::make_unique<ValidatePoller>(std::move(options), polled);
        // Two lives: the first is filled from the law, the second is as it ever will be.
        const double warm = 2 * (life + 1 / scene_.rate) + 1;
        const double tail = life + 12 / scene_.rate;
        if (!steps_until([&] { return now_s() >= began_s_ + warm; }, 0, 0.5)) {
            return "interrupted";
        }
        if (auto failed = switch_over(); !failed.empty()) {
            return failed;
        }
        const double last = facts_.switch_s + tail;
        const bool done = steps_until(
            [&] { return now_s() >= last || poller_->all_new_since(facts_.switch_s); }, 0.55, 1);
        return done ? "" : "interrupted";
    }

    /// False where it was cancelled. Progress runs from one share towards the other.
    template <class Done>
    bool steps_until(const Done& done, double from, double to) {
        const double began = now_s();
        while (!done()) {
            poller_->step(kStepMs);
            if (cancelled()) {
                return false;
            }
            if (scene_.progress) {
                const double part = 1 - std::exp(-(now_s() - began) / 12);
                scene_.progress(from + (to - from) * part);
            }
        }
        return true;
    }

    /// Kills the endpoint and watches the server until it answers anew.
    std::string switch_over() {
        scene_.kill();
        const double killed = now_s();
        double asked = killed;
        for (;;) {
            const double begin = now_s();
            const base::Wall wall = clock_.now().wall;
            if (all_new()) {
                // Between the last old answer and this one; the middle is at most a step off.
                facts_.switch_s = (asked + begin) / 2;
                facts_.second_s = begin - second_fraction(wall);
                while (facts_.second_s > facts_.switch_s) {
                    facts_.second_s -= 1;
                }
                out_.switch_after_s = facts_.switch_s - killed;
                return {};
            }
            asked = begin;
            if (begin - killed > kSwitchLimitS) {
                return fmt::format("the server did not switch within {} s of the kill",
                                   kSwitchLimitS);
            }
            const double until = begin + kWatchStepS;
            if (!steps_until([&] { return now_s() >= until; }, 0.5, 0.55)) {
                return "interrupted";
            }
        }
    }

    /// Asks so often that an answer which is drawn would have been an old one among them.
    bool all_new() const {
        const double tries =
            scene_.old_share < 1 ? std::log(kMissed) / std::log1p(-scene_.old_share) : 1;
        for (int i = 0; i < tries; ++i) {
            const auto told =
                ask_once(scene_.server, scene_.names.back(), scene_, true, kWatchPatience);
            if (!told || told->old) {
                return false;
            }
        }
        return true;
    }

    const ValidateScene& scene_;
    const std::vector<InstalledResolver>& installed_;
    unsigned attempt_;
    base::RealClock clock_;
    base::Mono zero_{};
    double began_s_ = 0;
    const std::unordered_map<dns::Name, std::uint32_t, dns::NameHash> numbers_ =
        numbers_of(scene_.names);
    std::vector<std::size_t> lanes_;  // that work
    std::vector<std::uint16_t> ports_;
    std::vector<std::unique_ptr<ResolverProcess>> processes_;
    std::unique_ptr<ValidateRelay> relay_;
    std::unique_ptr<ValidatePoller> poller_;
    RunFacts facts_;
    RunOutcome out_;
};

}  // namespace

std::optional<Told> ask_once(const base::SocketAddress& server, const dns::Name& name,
                             const ValidateScene& scene, bool as_client, base::Duration timeout) {
    const base::RealClock clock;
    const LiveFd fd = connected_socket(server);
    if (!fd) {
        return std::nullopt;
    }
    dns::QueryOptions options;
    options.recursion_desired = !as_client;
    if (as_client) {
        options.edns.emplace();
        options.edns->subnet = scene.client;
    }
    const auto wire = dns::compose_query(name, scene.type, options);
    static_cast<void>(::send(fd.get(), wire.data(), wire.size(), 0));
    const base::Mono deadline = clock.now().mono + timeout;
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - clock.now().mono).count();
        pollfd ready{fd.get(), POLLIN, 0};
        if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) <= 0) {
            return std::nullopt;
        }
        std::array<std::uint8_t, 4096> buffer;
        const auto got = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
        if (got < 0) {
            // Refused: it does not listen yet. Wait out the time, or this would be a busy loop.
            ::poll(nullptr, 0, 20);
            continue;
        }
        return told_in(std::span(buffer).first(static_cast<std::size_t>(got)), scene.type,
                       scene.dead);
    }
}

RunOutcome run_resolvers(const ValidateScene& scene,
                         const std::vector<InstalledResolver>& installed, unsigned attempt) {
    return Run(scene, installed, attempt).run();
}

}  // namespace steerd::drill
