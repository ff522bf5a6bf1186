// CNAME targets that are probed: resolved again by their TTL (bounded), their addresses at hand. A
// resolution is judged like a check: NXDOMAIN and NODATA fail, no answer is inconclusive, fall and
// rise of the probe apply, and after a first fail it is asked again soon. The addresses of the last
// good answer stay until another one comes. Thread rule: one owner.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "control/input.h"
#include "dns/name.h"
#include "health/combine.h"
#include "health/probe_spec.h"
#include "health/tracker.h"

namespace steerd::control {

/// More addresses of one target are not looked at.
inline constexpr std::size_t kMaxTargetAddresses = 32;

struct Target {
    dns::Name name;
    std::string text;
    std::shared_ptr<const health::ProbeSpec> timing;
    health::Tracker tracker;
    std::vector<base::IpAddress> addresses{};  // sorted
    std::uint32_t uses = 0;
    bool heard = false;
    std::optional<Resolution> last{};
    std::string reason{};
    base::Wall verified{};
    // When to ask next, and the question that is under way.
    base::Mono next{};
    base::Duration spacing{};
    bool asking = false;
    std::uint64_t run = 0;
};

/// "NXDOMAIN for sorry.example.net."
[[nodiscard]] std::string cause_of(const Target& target);

class TargetTable {
  public:
    /// Targets to start from; acquire() takes what is young.
    void restore(std::vector<TargetState> states);
    /// The target of this name, one use more. The last user's timing is the target's.
    [[nodiscard]] TargetId acquire(const dns::Name& name,
                                   const std::shared_ptr<const health::ProbeSpec>& timing,
                                   base::Now now);
    /// One use less; the last one ends the target.
    void release(TargetId id);

    [[nodiscard]] std::vector<ResolveTarget> ask_due(base::Mono now);

    struct Recorded {
        bool counts = false;  // false: not under way any more
        bool addresses_changed = false;
    };

    Recorded record(const ResolveDone& done, base::Now now);

    [[nodiscard]] health::Belief belief(TargetId id) const;
    [[nodiscard]] const Target& at(TargetId id) const;
    [[nodiscard]] std::vector<TargetId> ids() const;
    [[nodiscard]] base::Mono next() const noexcept;

    [[nodiscard]] std::size_t unheard() const noexcept { return unheard_; }

  private:
    void plan(TargetId id, base::Mono at, base::Duration spacing);

    std::uint64_t last_run_ = 0;
    std::size_t unheard_ = 0;
    std::vector<std::unique_ptr<Target>> targets_;  // by id; nullptr: free
    std::vector<TargetId> free_;
    std::unordered_map<dns::Name, TargetId, dns::NameHash> by_name_;
    std::set<std::pair<base::Mono, TargetId>> due_;
    std::unordered_map<std::string, TargetState> restored_;  // by name
};

}  // namespace steerd::control
