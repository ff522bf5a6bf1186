// A view: which class a client belongs to, for all trees of one shape. Two clients are of one class
// when the tree decides alike for them whatever the health, so a class never changes with health
// and the prefix that a class holds for is the ECS scope (RFC 7871 §7.2.1; product.md §4.9).
// lookup() is for the packet path: no allocation, two or three memory touches.
// Thread rule: immutable after compile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/ip.h"

namespace steerd::policy {

enum class ClassId : std::uint32_t {};

/// What orders and walks are written in: ranks, and places in a member list (which may be long).
using ClassWord = std::uint32_t;

/// The order that one latency route sees: regions by rising estimate. Indexes are those of
/// TreeRoute::regions.
struct LatencyOrder {
    std::span<const ClassWord> rank_of_region;  // region index -> rank
    /// rank -> the last rank that counts as equal to it (estimate within `tolerance`); regions
    /// without an estimate share the end of the list as equals.
    std::span<const ClassWord> last_equal;
};

/// The walk that one geo route sees: member indexes, most specific match first, ended by a fence.
struct GeoWalk {
    std::span<const ClassWord> members;
    bool fenced = false;  // the last of `members` is a fence: nothing after it, here or above
};

struct ClassHit {
    ClassId id{};
    /// The widest prefix length on which the class is constant; with a hash taking part at least
    /// 24 or 56. In the family of the prefix that was looked up.
    std::uint8_t scope = 0;
};

/// The scope of a normalised client's hit in the address that was given, whose bits the ECS scope
/// counts: an IPv4 scope inside a mapped or 6to4 address moves behind what stands before it.
[[nodiscard]] std::uint8_t scope_for(const base::NormalisedPrefix& client,
                                     const ClassHit& hit) noexcept;

class View {
  public:
    /// `client` is normalised (base::normalised); rows longer than its length do not count, except
    /// where they leave the whole of it in one class. With a source too short to tell, the class is
    /// that of the rows not longer than it, and the scope asks for more bits.
    [[nodiscard]] ClassHit lookup(const base::IpPrefix& client) const noexcept;
    /// The same for a client as it was given (not normalised), with the scope in its own bits.
    [[nodiscard]] ClassHit lookup_given(const base::IpPrefix& client) const noexcept;

    /// lookup() of an IPv4 client. REQUIRES: the bits behind the length are zero.
    [[nodiscard]] ClassHit lookup4(std::uint32_t address, unsigned length) const noexcept;

    /// Fetches what lookup4() will read of these addresses, for all of them together; a hint.
    /// Returns of how many it came to the end.
    std::size_t read_ahead4(std::span<const std::uint32_t> addresses) const noexcept;

    /// REQUIRES: the slot is that of a latency route of this view's trees.
    [[nodiscard]] LatencyOrder latency(ClassId id, std::uint32_t view_slot) const noexcept;
    /// REQUIRES: the slot is that of a geo route of this view's trees.
    [[nodiscard]] GeoWalk geo(ClassId id, std::uint32_t view_slot) const noexcept;

    /// Whether a hash of the prefix takes part for this class under some health.
    [[nodiscard]] bool hashed(ClassId id) const noexcept;

    /// The whole table in address order as fn(first address, class); each run ends before the next.
    /// Native IPv6 alone: mapped and 6to4 addresses stand in IPv4's table, here they have class 0.
    void for_each_run4(const std::function<void(std::uint32_t first, ClassId)>& fn) const;
    void for_each_run6(
        const std::function<void(std::uint64_t high, std::uint64_t low, ClassId)>& fn) const;

    [[nodiscard]] std::size_t class_count() const noexcept;
    [[nodiscard]] std::size_t memory_bytes() const noexcept;
    /// Equal for views that may stand for each other over one world; empty: for no other.
    [[nodiscard]] const std::string& shape_key() const noexcept;

    struct Impl;
    explicit View(std::unique_ptr<const Impl> impl) noexcept;
    View(const View&) = delete;
    View& operator=(const View&) = delete;
    ~View();

  private:
    std::unique_ptr<const Impl> impl_;
};

}  // namespace steerd::policy
