// The matches of one geo route, found by what they ask for: a client's matches without a look at
// all others, so that tens of thousands of networks load in time that grows as they do.
//
// Networks are sorted and know the next wider one, so those around a client are a climb; the rest
// is looked up by its text or number. Deliberately decides nothing: order of a walk, fences and
// targets are classify()'s. Thread rule: immutable once built; load plane.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ip.h"
#include "config/model.h"
#include "geo/world.h"

namespace steerd::policy {

struct ShapeMember;

class WalkIndex {
  public:
    using Members = std::vector<std::uint32_t>;  // by place in the route's list

    WalkIndex() = default;
    explicit WalkIndex(std::span<const ShapeMember> members);

    /// Appends those that match, most specific first, equals in the order of the list. Networks
    /// count where they contain `within`; none does when it is null.
    void find(const geo::Facts& facts, const base::IpPrefix* within, Members& out) const;

    /// The first member with the same target: by which match a target was found makes no
    /// difference.
    [[nodiscard]] std::uint32_t first_of(std::uint32_t member) const noexcept {
        return first_[member];
    }

    /// No client has a walk longer than this.
    [[nodiscard]] std::size_t most_steps() const noexcept { return most_steps_; }

  private:
    using Texts = std::unordered_map<std::string, Members>;

    void add_networks(std::span<const ShapeMember> members, Members networks);
    void measure(std::size_t targets);

    std::vector<base::IpPrefix> prefixes_;  // sorted, each once
    std::vector<std::uint32_t> parents_;    // as parents_of()
    std::vector<std::uint32_t> begins_;     // of each prefix in networks_; one more
    Members networks_;
    std::unordered_map<std::uint32_t, Members> asns_;
    Texts subdivisions_;
    Texts countries_;
    Texts continents_;
    Members any_;
    Members first_;
    std::size_t most_steps_ = 0;
};

}  // namespace steerd::policy
