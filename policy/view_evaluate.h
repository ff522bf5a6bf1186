// Follows a tree of some shape for one class under one supposed health, all draws and hashes left
// open: its classes are alike when this comes out equal under every health (view_merge.cc).
//
// Why beside evaluate.cc, which serves: that one follows one draw of one query; this one must
// follow all at once, thousands of times for each class. Same rules, product.md §4.4 and §4.5; the
// tests hold the two against each other. Thread rule: load plane, one owner.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policy/view_outcome.h"
#include "policy/view_shape.h"

namespace steerd::policy {

/// Up stands for unknown too: no policy tells them apart.
enum class Condition : std::uint8_t { Up, Degraded, Out };

struct Supposed {
    std::vector<Condition> endpoints;  // by endpoint of the shape
    std::vector<std::uint32_t> holds;  // by route of the shape: the member it stays on, or kNone
    /// Which of two members a hash prefers, by ShapeEvaluator::name_of(): the lesser; kNone is not
    /// supposed. Empty: all ties stay open.
    std::vector<std::uint32_t> preference;
};

class ShapeEvaluator {
  public:
    ShapeEvaluator(const ViewShape& shape, Outcomes& outcomes);

    /// Works out what is the same for all classes. `supposed` must outlive what follows.
    void suppose(const Supposed& supposed);
    [[nodiscard]] Outcomes::Id evaluate(std::span<const ClassWord> words);

    [[nodiscard]] std::uint32_t name_of(const ShapeMember& member) const noexcept {
        const auto endpoints = static_cast<std::uint32_t>(shape_.endpoints.size());
        return member.is_endpoint ? member.target : endpoints + member.target;
    }

    [[nodiscard]] bool under_latency(std::size_t route) const noexcept {
        return under_latency_[route];
    }

  private:
    using Id = Outcomes::Id;
    /// As evaluate_types.h has them.
    enum class Tier : std::uint8_t { Good, Degraded, LackingGood, LackingDegraded, Out };
    static constexpr unsigned kTiers = 4;

    /// A member that a latency route may take.
    struct Candidate {
        std::uint32_t rank;
        std::uint32_t name;
        Id outcome;
    };

    [[nodiscard]] Id choose(std::uint32_t route);
    [[nodiscard]] Id take(const ShapeMember& member);
    [[nodiscard]] Id failover(const ShapeRoute& route);
    [[nodiscard]] bool is_dead_fence(const ShapeMember& member);
    [[nodiscard]] Id nothing_or_fence(const ShapeRoute& route);
    [[nodiscard]] Id weighted(const ShapeRoute& route);
    [[nodiscard]] Id latency(const ShapeRoute& route);
    [[nodiscard]] Id latency_in_tier(const ShapeRoute& route, Tier tier);
    [[nodiscard]] Id geo(const ShapeRoute& route);
    [[nodiscard]] Id multivalue(const ShapeRoute& route);
    [[nodiscard]] std::uint32_t held(const ShapeRoute& route);
    [[nodiscard]] Tier tier_by_rank(const ShapeMember& member) const noexcept;
    /// As it is for the class: a route that finds nothing for it is Out.
    [[nodiscard]] Tier tier(const ShapeMember& member);
    /// The weight of each member that takes part in a draw, 0 of the others.
    [[nodiscard]] std::vector<std::uint64_t> votes(const ShapeRoute& route);
    void drop_beaten(std::vector<Outcomes::Branch>& ties) const;
    /// A latency route among members of which a draw decides where they stand, or whether at all:
    /// not worked out, but equal for equal members and orders.
    [[nodiscard]] Id left_open(const ShapeRoute& route, std::span<const Candidate> candidates);
    /// Where an outcome's region stands in the order of a latency route.
    [[nodiscard]] std::uint32_t rank_of(const ShapeRoute& route, Id outcome);

    [[nodiscard]] std::span<const ShapeMember> members(const ShapeRoute& route) const noexcept {
        return std::span(shape_.members).subspan(route.first_member, route.member_count);
    }

    const ViewShape& shape_;
    Outcomes& outcomes_;
    const Supposed* supposed_ = nullptr;
    std::span<const ClassWord> words_;
    std::vector<std::vector<std::uint32_t>> below_;  // endpoints under each route, each once
    std::vector<Tier> route_tiers_;
    std::vector<bool> under_latency_;  // by route
    std::vector<Id> chosen_;           // by route, for the class at hand; kNone: not yet
};

}  // namespace steerd::policy
