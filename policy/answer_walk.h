// One query on its way through the zones: the state that answer.cc, answer_zone.cc,
// answer_additional.cc and answer_steered.cc share while they fill one response. Lives on the stack
// of answer(). Thread rule: one owner.
#pragma once

#include <array>
#include <cstdint>

#include "dns/query.h"
#include "dns/response.h"
#include "dns/split_name.h"
#include "policy/answer.h"
#include "policy/view.h"
#include "zones/zone.h"

namespace steerd::policy {

/// A chain of CNAMEs and DNAMEs inside a zone ends after so many steps; a loop too.
inline constexpr unsigned kMaxChain = 16;

class AnswerWalk {
  public:
    AnswerWalk(const Snapshot& snapshot, const Request& request, const dns::Query& query,
               dns::ResponseWriter& writer, Outcome& outcome) noexcept
        : plan_(*snapshot.plan),
          health_(*snapshot.health),
          request_(request),
          query_(query),
          writer_(writer),
          outcome_(outcome),
          current_(query.qname),
          split_(query.qname) {}

    void set_trace(Trace* trace) noexcept { trace_ = trace; }

    /// Answers a question of class IN.
    void run() noexcept;

  private:
    enum class Next : std::uint8_t { Done, Follow };

    // answer_zone.cc: what zones say
    [[nodiscard]] bool is_meta(dns::Rcode& rcode) const noexcept;
    [[nodiscard]] bool leaves(const zones::Zone& zone) const noexcept;
    [[nodiscard]] Next step(const zones::Zone& zone, bool first) noexcept;
    [[nodiscard]] Next static_step(const zones::Finding& finding, bool first) noexcept;
    [[nodiscard]] Next follow(dns::NameView target) noexcept;
    [[nodiscard]] Next follow_to(dns::NameView target) noexcept;
    [[nodiscard]] Next dname(const zones::Finding& finding) noexcept;
    void refer(const zones::Finding& finding, bool first) noexcept;
    void add_glue(const zones::Finding& finding, bool in_domain, bool required) noexcept;
    [[nodiscard]] bool has_dname(const dns::RrsetView& rrset) const noexcept;
    void negative(const zones::Zone& zone, dns::Ttl ttl, AnswerKind kind) noexcept;
    void conclude(AnswerKind kind) noexcept;
    void note(const char* finding) noexcept;

    // answer_additional.cc: what is asked for next
    void add_additional(const zones::Finding& finding) noexcept;
    void add_additional_of(const zones::Finding& finding, dns::NameView target) noexcept;

    // answer_steered.cc: what routes say
    [[nodiscard]] Next steered_step(const zones::Finding& finding, bool first) noexcept;
    [[nodiscard]] const Decision& consult(SteeredId steered, Ask ask) noexcept;
    [[nodiscard]] base::IpPrefix client() const noexcept;
    void add_slots(const Decision& decision) noexcept;
    template <std::size_t N>
    void add_up_to(const Decision& decision) noexcept;
    void note_client() noexcept;
    void forget_decision() noexcept;

    const Plan& plan_;
    const HealthState& health_;
    const Request& request_;
    const dns::Query& query_;
    dns::ResponseWriter& writer_;
    Outcome& outcome_;
    Trace* trace_ = nullptr;

    /// A name met on the way: what a NameView is, but left alone until it is met.
    struct Followed {
        const std::uint8_t* octets;
        std::size_t size;
    };

    dns::NameView current_;  // the name being looked up
    dns::SplitName split_;
    std::array<Followed, kMaxChain> followed_;  // the first followed_count_ of them
    unsigned followed_count_ = 0;
    /// Where DNAMEs led, octet for octet.
    std::array<std::array<std::uint8_t, dns::kMaxNameSize>, kMaxChain> synthesised_;
    std::array<const std::uint8_t*, kMaxChain> dnames_;  // and which DNAMEs led there
    unsigned synthesised_count_ = 0;
    Decision later_;  // of a steered name that another one led to
    unsigned scope_ = 0;
    unsigned step_scope_ = 0;
};

}  // namespace steerd::policy
