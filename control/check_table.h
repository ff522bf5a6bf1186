// All checks: one for each address and probe, whatever the number of endpoints that use it; its
// tracker, its place in the schedule, its statistics. What a reload leaves as it was keeps all of
// them; where only the timing of a probe changed, its health stays. Thread rule: one owner.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "base/rng.h"
#include "control/state.h"
#include "control/status.h"
#include "health/combine.h"
#include "health/prober.h"
#include "health/schedule.h"
#include "health/tracker.h"

namespace steerd::control {

struct Check {
    base::IpAddress address;
    std::shared_ptr<const health::ProbeSpec> spec;
    health::Tracker tracker;
    std::uint64_t run = 0;  // of the check in flight, or the last one
    std::uint32_t uses = 0;
    bool heard = false;  // a verdict came, or its health was restored
    base::Wall since{};
    base::Wall verified{};
    std::string cause{};  // of the last change
    // The last verdict, and all there were.
    std::optional<health::Outcome> last{};
    std::string reason{};
    base::Duration latency{};
    base::Wall last_at{};
    std::optional<base::Wall> certificate_expires{};
    CheckCounts counts{};
    std::shared_ptr<CheckDurations> durations{};  // shared by all checks of a probe's name
};

/// "http 200 in 12 ms" for what passed, the reason alone for what did not.
[[nodiscard]] std::string cause_of(const health::Verdict& verdict);

class CheckTable {
  public:
    CheckTable(std::uint64_t seed, std::size_t max_in_flight);

    /// Health to start from, by address, probe name and target; acquire() takes what is young.
    void restore(std::vector<CheckState> states);
    /// The check of this address and spec, one use more; a new one is spread over `spread`.
    [[nodiscard]] health::CheckId acquire(const base::IpAddress& address,
                                          const std::shared_ptr<const health::ProbeSpec>& spec,
                                          base::Now now, base::Duration spread);
    /// One use less; the last one ends the check.
    void release(health::CheckId id);

    [[nodiscard]] std::vector<health::StartCheck> start_due(base::Mono now);
    /// False: not in flight any more or removed meanwhile, the verdict counts for nothing.
    bool record(const health::CheckDone& done, base::Now now);

    [[nodiscard]] health::Belief belief(health::CheckId id) const;
    [[nodiscard]] const Check& at(health::CheckId id) const;
    /// All that are in use, by id.
    [[nodiscard]] std::vector<health::CheckId> ids() const;

    [[nodiscard]] base::Mono next() noexcept { return schedule_.next(); }

    [[nodiscard]] std::size_t in_flight() const noexcept { return schedule_.in_flight_count(); }

    /// How many have never been heard of.
    [[nodiscard]] std::size_t unheard() const noexcept { return unheard_; }

  private:
    struct RestoredKey {
        base::IpAddress address;
        std::string probe;
        std::uint64_t target = 0;
        friend auto operator<=>(const RestoredKey&, const RestoredKey&) = default;
    };

    [[nodiscard]] std::shared_ptr<CheckDurations> durations_of(const std::string& probe);
    [[nodiscard]] Check start_of_life(const base::IpAddress& address,
                                      const std::shared_ptr<const health::ProbeSpec>& spec,
                                      base::Wall now);

    base::Rng rng_;
    health::Schedule schedule_;
    std::uint64_t last_run_ = 0;
    std::size_t unheard_ = 0;
    std::vector<std::unique_ptr<Check>> checks_;  // by id; nullptr: free
    std::map<base::IpAddress, std::vector<health::CheckId>> by_address_;
    std::map<RestoredKey, CheckState> restored_;
    std::map<std::string, std::weak_ptr<CheckDurations>, std::less<>> durations_;  // by probe
};

}  // namespace steerd::control
