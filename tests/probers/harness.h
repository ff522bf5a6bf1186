// What the tests of the probers share: a pool with a collector behind its sinks, and waits that
// end.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "health/prober.h"
#include "health/probers/prober_pool.h"

namespace steerd::probers::test {

inline constexpr auto kPatience = std::chrono::seconds(8);

/// Keeps what a pool delivers until it is asked for.
class Collector {
  public:
    void take(std::vector<health::CheckDone> batch);
    void take(std::vector<ResolveDone> batch);

    /// True when `count` checks (or resolutions) have come in time.
    [[nodiscard]] bool wait_checks(std::size_t count);
    [[nodiscard]] bool wait_resolutions(std::size_t count);

    [[nodiscard]] std::vector<health::CheckDone> checks() const;
    [[nodiscard]] std::vector<ResolveDone> resolutions() const;

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<health::CheckDone> checks_;
    std::vector<ResolveDone> resolutions_;
};

/// A pool on the machine's clock.
class Harness {
  public:
    explicit Harness(ProberOptions options = {});

    /// Runs these side by side; what came back, in the order of `specs`. Fails the test when a
    /// verdict is missing or there are too many.
    std::vector<health::CheckDone> run(
        const std::vector<std::pair<health::ProbeSpec, std::string>>& specs);
    health::Verdict run_one(const health::ProbeSpec& spec,
                            const std::string& address = "127.0.0.1");

    ResolveDone resolve(const std::string& name, const std::string& server);

    [[nodiscard]] Collector& collector() { return collector_; }

    [[nodiscard]] ProberPool& pool() { return *pool_; }

    void destroy_pool() { pool_.reset(); }

  private:
    base::RealClock clock_;
    Collector collector_;
    std::unique_ptr<ProberPool> pool_;
};

/// A spec whose timeout is longer than any healthy check takes on a busy machine.
health::ProbeSpec spec_of(health::ProbeType type, std::uint16_t port);
/// One that is meant to time out: after 400 ms.
health::ProbeSpec hasty(health::ProbeSpec spec);
health::StartCheck check_of(std::uint32_t id, const health::ProbeSpec& spec,
                            const std::string& address);

std::string outcome_text(const health::Verdict& verdict);

/// Descriptors open in this process.
std::size_t open_descriptors();
/// Polls a condition until it holds or patience ends.
bool eventually(const std::function<bool()>& condition);

}  // namespace steerd::probers::test
