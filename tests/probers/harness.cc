#include "harness.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

namespace steerd::probers::test {

void Collector::take(std::vector<health::CheckDone> batch) {
    const std::lock_guard lock(mutex_);
    checks_.insert(checks_.end(), batch.begin(), batch.end());
    changed_.notify_all();
}

void Collector::take(std::vector<ResolveDone> batch) {
    const std::lock_guard lock(mutex_);
    resolutions_.insert(resolutions_.end(), batch.begin(), batch.end());
    changed_.notify_all();
}

bool Collector::wait_checks(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return checks_.size() >= count; });
}

bool Collector::wait_resolutions(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return resolutions_.size() >= count; });
}

std::vector<health::CheckDone> Collector::checks() const {
    const std::lock_guard lock(mutex_);
    return checks_;
}

std::vector<ResolveDone> Collector::resolutions() const {
    const std::lock_guard lock(mutex_);
    return resolutions_;
}

Harness::Harness(ProberOptions options)
    : pool_(std::make_unique<ProberPool>(
          options, clock_,
          [this](std::vector<health::CheckDone> batch) { collector_.take(std::move(batch)); },
          [this](std::vector<ResolveDone> batch) { collector_.take(std::move(batch)); })) {}

std::vector<health::CheckDone> Harness::run(
    const std::vector<std::pair<health::ProbeSpec, std::string>>& specs) {
    const std::size_t before = collector_.checks().size();
    std::vector<health::StartCheck> checks;
    for (std::size_t i = 0; i < specs.size(); ++i) {
        checks.push_back(check_of(static_cast<std::uint32_t>(i), specs[i].first, specs[i].second));
    }
    pool_->start(checks);
    EXPECT_TRUE(collector_.wait_checks(before + specs.size()));
    const auto all = collector_.checks();
    EXPECT_EQ(all.size(), before + specs.size());
    std::vector<health::CheckDone> out(specs.size());
    std::vector<bool> seen(specs.size());
    for (std::size_t i = before; i < all.size(); ++i) {
        const auto id = static_cast<std::size_t>(all[i].check);
        EXPECT_LT(id, specs.size());
        if (id < specs.size()) {
            EXPECT_FALSE(seen[id]) << "two verdicts for one check";
            seen[id] = true;
            out[id] = all[i];
        }
    }
    return out;
}

health::Verdict Harness::run_one(const health::ProbeSpec& spec, const std::string& address) {
    return run({{spec, address}}).front().verdict;
}

ResolveDone Harness::resolve(const std::string& name, const std::string& server) {
    const std::size_t before = collector_.resolutions().size();
    pool_->resolve({before, name, server});
    EXPECT_TRUE(collector_.wait_resolutions(before + 1));
    const auto all = collector_.resolutions();
    if (all.size() != before + 1) {
        ADD_FAILURE() << "not one result";
        return {};
    }
    EXPECT_EQ(all.back().id, before);
    return all.back();
}

health::ProbeSpec spec_of(health::ProbeType type, std::uint16_t port) {
    health::ProbeSpec spec;
    spec.name = "test";
    spec.type = type;
    spec.port = port;
    spec.timeout = std::chrono::seconds(4);
    return spec;
}

health::ProbeSpec hasty(health::ProbeSpec spec) {
    spec.timeout = std::chrono::milliseconds(400);
    return spec;
}

health::StartCheck check_of(std::uint32_t id, const health::ProbeSpec& spec,
                            const std::string& address) {
    health::StartCheck check;
    check.check = static_cast<health::CheckId>(id);
    check.run = 1000 + id;
    check.address = base::IpAddress::parse(address).value();
    check.spec = std::make_shared<health::ProbeSpec>(spec);
    return check;
}

std::string outcome_text(const health::Verdict& verdict) {
    return std::string(health::to_text(verdict.outcome)) + ": " + verdict.reason;
}

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

}  // namespace steerd::probers::test
