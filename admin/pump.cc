// See pump.h. Thread rule: any.
#include "admin/pump.h"

#include <microhttpd.h>
#include <pthread.h>

#include <algorithm>
#include <utility>

namespace steerd::admin {

namespace {

/// How exactly the ends of waits are kept.
constexpr base::Duration kLook = std::chrono::milliseconds(500);

}  // namespace

Pump::Pump(const base::Clock& clock) : clock_(clock), thread_([this] { run(); }) {}

bool Pump::sleep(MHD_Connection* connection) {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
        return false;
    }
    MHD_suspend_connection(connection);
    sleepers_.insert(connection);
    return true;
}

void Pump::wake(MHD_Connection* connection) {
    {
        const std::lock_guard lock(mutex_);
        if (sleepers_.erase(connection) == 0) {
            return;  // all are awake
        }
        woken_.push_back(connection);
    }
    changed_.notify_one();
}

std::uint64_t Pump::limit_wait(base::Duration limit, std::function<void()> over) {
    const std::lock_guard lock(mutex_);
    waits_.emplace(++last_wait_, Wait{clock_.now().mono + limit, std::move(over)});
    return last_wait_;
}

void Pump::forget(std::uint64_t wait) {
    const std::lock_guard lock(mutex_);
    waits_.erase(wait);
}

std::vector<MHD_Connection*> Pump::take_due(base::Mono now,
                                            std::vector<std::function<void()>>& over) {
    std::vector<MHD_Connection*> due = std::exchange(woken_, {});
    std::erase_if(waits_, [&](auto& wait) {
        if (wait.second.until > now) {
            return false;
        }
        over.push_back(std::move(wait.second.over));
        return true;
    });
    return due;
}

void Pump::run() {
    pthread_setname_np(pthread_self(), "steerd-pump");
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        changed_.wait_for(lock, kLook, [this] { return stopping_ || !woken_.empty(); });
        std::vector<std::function<void()>> over;
        const auto due = take_due(clock_.now().mono, over);
        lock.unlock();
        std::ranges::for_each(due, MHD_resume_connection);
        std::ranges::for_each(over, [](const auto& call) { call(); });
        lock.lock();
    }
}

void Pump::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) {
        thread_.join();
    }
    std::vector<std::function<void()>> none;
    const std::lock_guard lock(mutex_);
    woken_.insert(woken_.end(), sleepers_.begin(), sleepers_.end());
    sleepers_.clear();
    std::ranges::for_each(take_due(clock_.now().mono, none), MHD_resume_connection);
}

}  // namespace steerd::admin
