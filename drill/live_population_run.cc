// The loop of a live drill: caches that are due ask, answers are taken in, the monitor looks at
// every place in turn, and the script happens.
#include <poll.h>

#include <algorithm>

#include "drill/live_population.h"

namespace steerd::drill {

namespace {

constexpr double kLongestWait_s = 0.02;
constexpr std::size_t kMostAtOnce = 256;

}  // namespace

double LivePopulation::now() const {
    return std::chrono::duration<double>(clock_.now().mono - world_.zero()).count();
}

void LivePopulation::plan(std::uint32_t cache, double at) {
    due_.push({at, cache, ++waiting_[cache].turn});
}

void LivePopulation::act(std::uint32_t cache, double at) {
    Waiting& waiting = waiting_[cache];
    if (waiting.asked >= 0) {
        failed(cache, at);  // no answer in time
        return;
    }
    waiting.asked = at;
    asker_.ask(cache, bound_.name, clients_.groups[caches_[cache].group].client);
    plan(cache, at + waiting.patience.wait_s());
}

/// The question counts from when it was asked, as in CacheStream::retry.
void LivePopulation::failed(std::uint32_t cache, double at) {
    Waiting& waiting = waiting_[cache];
    LiveCache& one = caches_[cache];
    asker_.forget(cache);
    one.record.fetches.push_back({waiting.asked, kLookupFailed, 0});
    const double next =
        waiting.patience.next(waiting.asked, exponential(waiting.rng.next()) / one.sampled.rate);
    waiting.asked = -1;
    plan(cache, std::max(next, at));
}

void LivePopulation::fetched(std::uint32_t cache, const LiveReply& reply, double at) {
    Waiting& waiting = waiting_[cache];
    LiveCache& one = caches_[cache];
    if (waiting.asked < 0) {
        return;
    }
    if (reply.failed) {
        failed(cache, at);
        return;
    }
    const std::uint32_t answer = answer_id(reply);
    waiting.asked = -1;
    waiting.patience = Patience(one.model->retry);
    one.record.fetches.push_back({at, answer, reply.ttl_s});
    const Lifetime life = lifetime_of(*one.model, reply.ttl_s, answers_[answer].negative);
    const double gap_s = 1 / one.sampled.rate;
    double next = at;
    if (life.base_s > 0) {
        next = hold_from(life, at, std::min(one.record.held.second, at)).fresh_until;
    }
    plan(cache, next + exponential(waiting.rng.next()) * gap_s);
}

void LivePopulation::answered(std::uint32_t who, const LiveReply& reply, double at) {
    if (who < caches_.size()) {
        fetched(who, reply, at);
    } else if (!reply.failed) {
        samples_.push_back(
            {at, who - static_cast<std::uint32_t>(caches_.size()), answer_id(reply), reply.ttl_s});
    }
}

void LivePopulation::monitor(double at) {
    const double step = monitor_gap_s_ / static_cast<double>(monitored_.size());
    for (std::size_t sent = 0; next_monitor_ <= at && sent < kMostAtOnce; ++sent) {
        const std::uint32_t group = monitored_[monitor_turn_++ % monitored_.size()];
        asker_.ask(static_cast<std::uint32_t>(caches_.size()) + group, bound_.name,
                   clients_.groups[group].client);
        next_monitor_ += step;
    }
    next_monitor_ = std::max(next_monitor_, at - monitor_gap_s_);  // never a burst after a stall
}

void LivePopulation::events_due(double at) {
    while (next_event_ < scenario_.events.size()) {
        const double planned =
            std::chrono::duration<double>(scenario_.events[next_event_].at).count();
        if (planned > at) {
            return;
        }
        latest_s_ = std::max(latest_s_, at - planned);
        world_.happen(next_event_++);
    }
}

void LivePopulation::wait(double until) const {
    const double left = std::clamp(until - now(), 0.0, kLongestWait_s);
    timespec time{0, static_cast<long>(left * 1e9)};
    pollfd polled[2] = {{asker_.fd(), POLLIN, 0}, {world_.log_fd(), POLLIN, 0}};
    ::ppoll(polled, 2, &time, nullptr);
}

std::optional<std::string> LivePopulation::run(const std::function<bool()>& cancelled,
                                               const std::function<void(double)>& progress) {
    const double end = std::chrono::duration<double>(scenario_.duration).count();
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
        waiting_[i].patience = Patience(caches_[i].model->retry);
    }
    world_.begin(clock_.now().mono);
    while (true) {
        const double at = now();
        if (at >= end) {
            return std::nullopt;
        }
        if (!world_.failure().empty()) {
            return world_.failure();
        }
        if (cancelled && cancelled()) {
            return "interrupted";
        }
        events_due(at);
        world_.tick();
        for (std::size_t acts = 0; !due_.empty() && due_.top().at <= at && acts < kMostAtOnce;) {
            const Due due = due_.top();
            due_.pop();
            if (due.turn == waiting_[due.cache].turn) {
                act(due.cache, at);
                ++acts;
            }
        }
        monitor(at);
        const double heard = now();
        asker_.receive(
            [&](std::uint32_t who, const LiveReply& reply) { answered(who, reply, heard); });
        if (progress) {
            progress(at / end);
        }
        double next = std::min(end, next_monitor_);
        next = due_.empty() ? next : std::min(next, due_.top().at);
        if (next_event_ < scenario_.events.size()) {
            next = std::min(
                next, std::chrono::duration<double>(scenario_.events[next_event_].at).count());
        }
        if (world_.next() != base::kNever) {
            next = std::min(next,
                            std::chrono::duration<double>(world_.next() - world_.zero()).count());
        }
        wait(next);
    }
}

}  // namespace steerd::drill
