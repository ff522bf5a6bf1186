// A view: which class a client belongs to, for all trees of one shape. Two clients are of one class
// when the tree decides alike for them whatever the health, so a class never changes with health and
// the prefix that a class holds for is the ECS scope (RFC 7871 §7.2.1; product.md §4.9).
// lookup() is for the packet path: no allocation, two or three memory touches.
// Thread rule: immutable after compile.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/ip.h"

namespace steerd::policy {

enum class ClassId : std::uint32_t {};

/// The order that one latency route sees: regions by rising estimate. Indexes are those of
/// TreeRoute::regions.
struct LatencyOrder {
    std::span<const std::uint16_t> rank_of_region;  // region index -> rank
    /// rank -> the last rank that counts as equal to it (estimate within `tolerance`); regions
    /// without an estimate share the end of the list as equals.
    std::span<const std::uint16_t> last_equal;
};

/// The walk that one geo route sees: member indexes, most specific match first, ended by a fence.
struct GeoWalk {
    std::span<const std::uint16_t> members;
    bool fenced = false;  // the last of `members` is a fence: nothing after it, here or above
};

struct ClassHit {
    ClassId id{};
    /// The widest prefix length on which the class is constant; with a hash taking part at least
    /// 24 or 56. In the family of the prefix that was looked up.
    std::uint8_t scope = 0;
};

class View {
  public:
    /// `client` is normalised (base::normalised); rows longer than its length do not count.
    [[nodiscard]] ClassHit lookup(const base::IpPrefix& client) const noexcept;

    /// REQUIRES: the slot is that of a latency route of this view's trees.
    [[nodiscard]] LatencyOrder latency(ClassId id, std::uint32_t view_slot) const noexcept;
    /// REQUIRES: the slot is that of a geo route of this view's trees.
    [[nodiscard]] GeoWalk geo(ClassId id, std::uint32_t view_slot) const noexcept;

    [[nodiscard]] std::size_t class_count() const noexcept;
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    struct Impl;
    explicit View(std::unique_ptr<const Impl> impl) noexcept;
    View(const View&) = delete;
    View& operator=(const View&) = delete;
    ~View();

  private:
    std::unique_ptr<const Impl> impl_;
};

}  // namespace steerd::policy
