#include "drill/validate_poller.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "dns/message.h"
#include "dns/wire.h"
#include "drill/cache_state.h"
#include "drill/validate_sockets.h"

namespace steerd::drill {

namespace {

constexpr std::size_t kIds = 65536;
constexpr std::size_t kMostMessage = 4096;
constexpr std::size_t kHeader = 12;
constexpr double kWatchedStartS = 4;  // watched lives begin within this
constexpr double kDenseBeforeS = 1.3, kDenseAfterS = 2.5, kDenseStepS = 0.04;

}  // namespace

ValidatePoller::ValidatePoller(PollOptions options, const std::vector<PolledResolver>& resolvers)
    : options_(std::move(options)), rng_(options_.seed) {
    for (std::uint32_t r = 0; r < resolvers.size(); ++r) {
        Lane lane;
        lane.fd = connected_socket({base::IpAddress::v4(INADDR_LOOPBACK), resolvers[r].port});
        lane.model = resolvers[r].model;
        lane.asked.resize(kIds);
        lane.dense_until.resize(options_.clocked, 0);
        lane.newest_s.resize(options_.names.size() - options_.clocked, -1);
        // The time from any moment to the next fetch, for a cache that has always been asked.
        const double life = lifetime_of(lane.model, options_.ttl_s, false).base_s;
        for (std::uint32_t name = 0; name < options_.names.size(); ++name) {
            double at = rng_.unit() * kWatchedStartS;
            if (random(name)) {
                const bool fresh = rng_.unit() * (life + 1 / options_.rate) < life;
                at = (fresh ? rng_.unit() * life : 0) + gap_s();
            }
            due_.push({options_.start_s + at, r, name});
        }
        lanes_.push_back(std::move(lane));
    }
}

bool ValidatePoller::random(std::uint32_t name) const noexcept {
    return name < options_.names.size() - options_.clocked;
}

double ValidatePoller::gap_s() { return exponential(rng_.next()) / options_.rate; }

double ValidatePoller::now_s() const noexcept {
    return std::chrono::duration<double>(clock_.now().mono - options_.zero).count();
}

void ValidatePoller::ask(const Due& due, double now_s) {
    Lane& lane = lanes_[due.resolver];
    Asked& asked = lane.asked[lane.next_id];
    if (asked.sent_s >= 0) {
        ++lane.log.failed;  // all numbers have been used since, and it was never answered
    }
    dns::QueryOptions options;
    options.id = lane.next_id++;
    options.recursion_desired = true;
    const auto wire = dns::compose_query(options_.names[due.name], options_.type, options);
    asked = {due.name, now_s};
    // A datagram that cannot be sent is a question without an answer.
    static_cast<void>(::send(lane.fd.get(), wire.data(), wire.size(), 0));
    if (random(due.name)) {
        // From when it was due: a loop that is late would ask less than it should.
        due_.push({due.at_s + gap_s(), due.resolver, due.name});
        return;
    }
    const double until = lane.dense_until[due.name - lane.newest_s.size()];
    if (now_s < until) {
        due_.push({now_s + kDenseStepS, due.resolver, due.name});
    }
}

void ValidatePoller::hear(Lane& lane) {
    std::array<std::uint8_t, kMostMessage> buffer;
    for (;;) {
        const auto got = ::recv(lane.fd.get(), buffer.data(), buffer.size(), 0);
        if (got < 0) {
            return;
        }
        if (got < static_cast<ssize_t>(kHeader)) {
            continue;
        }
        const base::Now now = clock_.now();
        const double at = std::chrono::duration<double>(now.mono - options_.zero).count();
        Asked& asked = lane.asked[dns::load_u16(buffer.data())];
        if (asked.sent_s < 0) {
            continue;
        }
        const double sent = std::exchange(asked.sent_s, -1);
        const auto told = told_in(std::span(buffer.data(), static_cast<std::size_t>(got)),
                                  options_.type, options_.dead);
        if (random(asked.name)) {
            if (!told) {
                ++lane.log.failed;
                continue;
            }
            lane.log.answers.push_back({asked.name, sent, at, told->old});
            if (!told->old) {
                lane.newest_s[asked.name] = sent;
            }
            continue;
        }
        double& until = lane.dense_until[asked.name - lane.newest_s.size()];
        if (told && until == 0) {
            const Lifetime life = lifetime_of(lane.model, options_.ttl_s, false);
            const Held held = hold_from(life, at, at - second_fraction(now.wall));
            until = held.fresh_until + kDenseAfterS;
            const auto resolver = static_cast<std::uint32_t>(&lane - lanes_.data());
            due_.push({std::max(at, held.fresh_until - kDenseBeforeS), resolver, asked.name});
        }
    }
}

void ValidatePoller::step(int most_ms) {
    double now = now_s();
    while (!due_.empty() && due_.top().at_s <= now) {
        const Due due = due_.top();
        due_.pop();
        ask(due, now);
        now = now_s();
    }
    std::vector<pollfd> ready;
    for (const Lane& lane : lanes_) {
        ready.push_back({lane.fd.get(), POLLIN, 0});
    }
    double wait_ms = most_ms;
    if (!due_.empty()) {
        wait_ms = std::clamp(std::ceil((due_.top().at_s - now) * 1000), 0.0, wait_ms);
    }
    if (::poll(ready.data(), ready.size(), static_cast<int>(wait_ms)) <= 0) {
        return;
    }
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        if (ready[i].revents != 0) {
            hear(lanes_[i]);
        }
    }
}

bool ValidatePoller::all_new_since(double since_s) const {
    return std::all_of(lanes_.begin(), lanes_.end(), [&](const Lane& lane) {
        return std::all_of(lane.newest_s.begin(), lane.newest_s.end(),
                           [&](double at) { return at >= since_s; });
    });
}

ResolverLog ValidatePoller::take_log(std::size_t resolver) {
    Lane& lane = lanes_[resolver];
    for (const Asked& asked : lane.asked) {
        lane.log.failed += asked.sent_s >= 0 ? 1 : 0;
    }
    return std::move(lane.log);
}

}  // namespace steerd::drill
