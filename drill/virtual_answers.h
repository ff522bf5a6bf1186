// The pieces of the timeline, made from snapshots as control publishes them: for each group of
// clients the possible answers with their shares, as policy::enumerate lists them, and the TTL of
// each as a function of time, read off policy::decide. Has no rule of its own for either. Thread
// rule: one owner.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "drill/timeline.h"
#include "drill/virtual_clients.h"
#include "policy/snapshot.h"

namespace steerd::drill {

class AnswerBook {
  public:
    /// `clients` must outlive it.
    AnswerBook(policy::SteeredId steered, policy::Ask ask, const Clients& clients,
               std::uint64_t seed);

    /// From `at` on answers come from this snapshot, of the plan with this number.
    void publish(base::Mono at, const policy::Snapshot& snapshot, std::size_t plan);

    /// Answers, classes, cells, switches and negative TTL; leaves nothing behind.
    void move_into(Timeline& timeline);

  private:
    /// Answer and share, by answer: two pieces with the same mix are the same answer.
    using Mix = std::vector<std::pair<std::uint32_t, double>>;
    using Key = std::tuple<std::vector<policy::EndpointId>, bool, bool, bool>;

    /// The TTL of one draw as a function of time: product.md §4.8.
    struct TtlForm {
        std::uint32_t ttl_s = 0;
        std::uint32_t least_s = 0;
        base::Mono until = base::kNever;  // never: ttl_s always

        friend auto operator<=>(const TtlForm&, const TtlForm&) = default;
    };

    struct Drawn {
        std::uint32_t answer = 0;
        TtlForm form;
    };

    [[nodiscard]] std::uint32_t answer_id(policy::DecisionKind kind,
                                          std::vector<policy::EndpointId> endpoints,
                                          bool fail_open);
    [[nodiscard]] Mix mix_of(const policy::DecideInput& input);
    [[nodiscard]] Drawn draw(policy::DecideInput input, std::uint64_t bits, base::Mono at);
    [[nodiscard]] TtlForm ttl_form(policy::DecideInput input, base::Mono at);
    [[nodiscard]] std::vector<Offer> offers_of(const policy::DecideInput& input, const Mix& mix);
    void add_piece(std::size_t group, base::Mono at, Mix mix, std::vector<Offer> offers);

    policy::SteeredId steered_;
    policy::Ask ask_;
    const Clients& clients_;
    std::vector<std::uint64_t> draws_;
    std::map<Key, std::uint32_t> ids_;
    std::vector<Answer> answers_;
    std::vector<ClassTimeline> classes_;
    std::vector<Mix> last_;                // by group
    std::vector<base::Mono> recent_ends_;  // of countdowns seen in this snapshot
    std::uint32_t zone_negative_s_ = 0;
    std::uint32_t switches_ = 0;
    bool switched_ = false;
};

/// The offer of one piece that 64 random bits fall on is the caller's to choose; this is the TTL
/// that it carries at a moment.
[[nodiscard]] std::uint32_t ttl_at(const Offer& offer, base::Mono at) noexcept;

}  // namespace steerd::drill
