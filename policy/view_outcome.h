// What a tree comes to for one class under one health, as a value that can be compared: not which
// endpoint a draw or a hash happens to pick, but between what they pick.
//
// Outcomes are numbered as they are met; equal ones have one number, so comparing is comparing
// numbers. Different numbers may now and then mean the same (draws written in two ways).
// Thread rule: load plane, one owner.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "policy/view_shape.h"

namespace steerd::policy {

class Outcomes {
  public:
    using Id = std::uint32_t;
    static constexpr Id kNothing = 0;  // nothing available, or no match
    static constexpr Id kFenced = 1;   // a fence ended the walk
    static constexpr Id kNoCname = 2;  // some address; only that it is no CNAME matters
    static constexpr std::uint32_t kMixedRegions = kNone - 1;

    /// One way a choice can go.
    struct Branch {
        std::uint64_t weight = 0;
        std::uint32_t name = 0;  // the member whose name a hash takes, 0 where none does
        Id outcome = kNothing;

        friend auto operator<=>(const Branch&, const Branch&) = default;
    };

    explicit Outcomes(const ViewShape& shape);

    [[nodiscard]] Id endpoint(std::uint32_t endpoint);
    /// A draw made anew for each query. REQUIRES: not empty.
    [[nodiscard]] Id draw(std::vector<Branch> branches);
    /// A draw by hash of the prefix. REQUIRES: not empty.
    [[nodiscard]] Id hash(std::vector<Branch> branches);
    /// The addresses of all of them, `max_answers` at a time. REQUIRES: not empty.
    [[nodiscard]] Id ring(std::vector<Id> members, std::uint32_t max_answers);

    /// A choice that is not worked out: equal where the branches and what decides are equal.
    [[nodiscard]] Id open(std::vector<Branch> branches, std::span<const ClassWord> decides);

    /// A hash of the prefix takes part.
    [[nodiscard]] bool hashed(Id id) const noexcept { return nodes_[id].hashed; }

    /// A fence may end the walk, by a draw.
    [[nodiscard]] bool may_end(Id id) const noexcept { return nodes_[id].may_end; }

    [[nodiscard]] bool has_cname(Id id) const noexcept { return nodes_[id].cname; }

    /// Of the endpoints it can come to; kMixedRegions when they stand in several.
    [[nodiscard]] std::uint32_t region(Id id) const noexcept { return nodes_[id].region; }

  private:
    enum class Kind : std::uint8_t { Special, Set, Draw, Hash, Ring, Whole, Open };

    struct Node {
        std::uint32_t region = kNone;
        bool hashed = false;
        bool cname = false;
        bool may_end = false;
        bool set = false;                      // all available addresses of `endpoints`
        std::uint32_t most = 0;                // addresses that it can come to at once
        std::vector<std::uint32_t> endpoints;  // that it can come to, sorted
    };

    struct Key {
        Kind kind = Kind::Special;
        std::uint32_t number = 0;
        std::vector<Branch> branches;

        friend auto operator<=>(const Key&, const Key&) = default;
    };

    [[nodiscard]] Id intern(Key key, Node node);
    [[nodiscard]] Id whole_ring(std::vector<Id> members);
    template <typename Fn>
    [[nodiscard]] Id for_branches(Id id, const Fn& fn);
    [[nodiscard]] Id without(Id id, const std::vector<std::uint32_t>& endpoints);
    [[nodiscard]] std::vector<Id> least_ring(std::vector<Id> members,
                                             std::uint32_t max_answers) const;
    [[nodiscard]] Id set_of(std::vector<std::uint32_t> endpoints);
    [[nodiscard]] Id choice(Kind kind, std::vector<Branch> branches);
    void join(Node& node, Id part) const;

    const ViewShape& shape_;
    std::vector<Node> nodes_;
    std::map<Key, Id> ids_;
    const Key special_;
    std::vector<const Key*> keys_;  // by id; in ids_, but for the special ones
    std::vector<Id> of_endpoint_;
};

}  // namespace steerd::policy
