// How a countdown is found without knowing its rule: decide() is asked for the TTL long before and
// long after; where the two differ there is one, and halving finds the moment from which the TTL is
// the least, to the nanosecond.
#include "drill/virtual_answers.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/rng.h"

namespace steerd::drill {

using config::index;
using policy::DecideInput;
using policy::Decision;
using policy::DecisionKind;

namespace {

constexpr std::size_t kDraws = 1024;
constexpr base::Duration kFirstMoment = std::chrono::microseconds(1);
constexpr base::Duration kLong = std::chrono::hours(24 * 365 * 10);

/// Whether the answer of one client depends on a draw.
bool draws(const policy::Tree& tree) {
    return std::any_of(tree.routes.begin(), tree.routes.end(), [](const policy::TreeRoute& route) {
        return (route.policy == config::Policy::Weighted && !route.sticky) ||
               route.policy == config::Policy::Multivalue;
    });
}

std::uint32_t ttl_of(DecideInput input, base::Mono at) {
    input.now = at;
    return policy::decide(input).ttl_s;
}

}  // namespace

AnswerBook::AnswerBook(policy::SteeredId steered, policy::Ask ask, const Clients& clients,
                       std::uint64_t seed)
    : steered_(steered),
      ask_(ask),
      clients_(clients),
      classes_(clients.groups.size()),
      last_(clients.groups.size()) {
    base::Rng rng(seed);
    for (std::size_t i = 0; i < kDraws; ++i) {
        draws_.push_back(rng.next());
    }
}

std::uint32_t AnswerBook::answer_id(DecisionKind kind, std::vector<policy::EndpointId> endpoints,
                                    bool fail_open) {
    const bool negative = kind == DecisionKind::NoData || kind == DecisionKind::NotCname;
    const bool servfail = kind == DecisionKind::ServFail;
    if (negative || servfail) {
        endpoints.clear();
    }
    std::sort(endpoints.begin(), endpoints.end());
    const auto [known, added] = ids_.emplace(Key{endpoints, negative, servfail, fail_open},
                                             static_cast<std::uint32_t>(answers_.size()));
    if (added) {
        answers_.push_back({std::move(endpoints), negative, servfail, fail_open});
    }
    return known->second;
}

AnswerBook::Mix AnswerBook::mix_of(const DecideInput& input) {
    std::map<std::uint32_t, double> shares;
    double sum = 0;
    for (const policy::Possible& possible : policy::enumerate(input)) {
        shares[answer_id(possible.kind, possible.endpoints, possible.fail_open)] += possible.share;
        sum += possible.share;
    }
    Mix mix(shares.begin(), shares.end());
    for (auto& [answer, share] : mix) {
        share /= sum;
    }
    return mix;
}

AnswerBook::TtlForm AnswerBook::ttl_form(DecideInput input, base::Mono at) {
    TtlForm form;
    form.ttl_s = ttl_of(input, at - kLong);
    form.least_s = ttl_of(input, at + kLong);
    if (form.least_s == form.ttl_s) {
        return form;
    }
    // The TTL is the least from `until - least` on.
    const base::Duration least = std::chrono::seconds(form.least_s);
    const base::Duration tick(1);
    const auto ends = [&](base::Mono t) { return ttl_of(input, t) == form.least_s; };
    for (const base::Mono known : recent_ends_) {
        if (ends(known - least) && !ends(known - least - tick)) {
            form.until = known;
            return form;
        }
    }
    base::Mono before = at - tick;
    base::Mono after = at + kLong;
    if (ends(at)) {
        after = at;  // the rest does not matter any more
    }
    while (after - before > tick) {
        const base::Mono middle = before + (after - before) / 2;
        (ends(middle) ? after : before) = middle;
    }
    form.until = after + least;
    if (after != at) {
        recent_ends_.push_back(form.until);
    }
    return form;
}

AnswerBook::Drawn AnswerBook::draw(DecideInput input, std::uint64_t bits, base::Mono at) {
    input.draw = bits;
    const Decision decision = policy::decide(input);
    Drawn out;
    out.answer = answer_id(
        decision.kind,
        {decision.endpoints.begin(), decision.endpoints.begin() + decision.endpoint_count},
        decision.fail_open);
    if (answers_[out.answer].negative && !decision.fail_open) {
        out.form.ttl_s = zone_negative_s_;
        return out;
    }
    out.form = ttl_form(input, at);
    return out;
}

std::vector<Offer> AnswerBook::offers_of(const DecideInput& input, const Mix& mix) {
    const policy::SteeredName& name = input.plan.steered[index(input.steered)];
    const bool one = !draws(input.plan.trees[index(name.tree)]);
    std::map<std::uint32_t, std::map<TtlForm, double>> forms;  // by answer, counted
    for (const std::uint64_t bits : draws_) {
        const Drawn drawn = draw(input, bits, input.now);
        forms[drawn.answer][drawn.form] += 1;
        // Without a countdown the TTL depends on nothing but the answer.
        if (one || (name.ttl_min_s == 0 && forms.size() >= mix.size())) {
            break;
        }
    }
    std::vector<Offer> offers;
    double sum = 0;
    for (const auto& [answer, share] : mix) {
        // An answer so rare that no draw met it has the TTL of another one.
        const auto found = forms.find(answer);
        const auto& counted = found == forms.end() ? forms.begin()->second : found->second;
        double all = 0;
        for (const auto& [form, count] : counted) {
            all += count;
        }
        for (const auto& [form, count] : counted) {
            sum += share * count / all;
            Offer offer;
            offer.answer = answer;
            offer.cumulative = sum;
            offer.ttl_s = form.ttl_s;
            offer.ttl_min_s = form.least_s;
            offer.countdown_until = form.until;
            offers.push_back(offer);
        }
    }
    offers.back().cumulative = 1;
    return offers;
}

void AnswerBook::publish(base::Mono at, const policy::Snapshot& snapshot, std::size_t plan) {
    const auto& steered = snapshot.plan->steered[index(steered_)];
    zone_negative_s_ = snapshot.plan->zone_set.slots()[steered.zone].zone->negative_ttl().seconds();
    recent_ends_.clear();
    switched_ = false;
    for (std::size_t group = 0; group < clients_.groups.size(); ++group) {
        const DecideInput input{.plan = *snapshot.plan,
                                .health = *snapshot.health,
                                .steered = steered_,
                                .client = clients_.groups[group].who[plan],
                                .ask = ask_,
                                .draw = draws_.front(),
                                .now = at};
        Mix mix = mix_of(input);
        auto offers = offers_of(input, mix);
        add_piece(group, at, std::move(mix), std::move(offers));
    }
    switches_ += switched_ ? 1 : 0;
}

void AnswerBook::add_piece(std::size_t group, base::Mono at, Mix mix, std::vector<Offer> offers) {
    const auto same_offer = [](const Offer& a, const Offer& b) {
        return a.answer == b.answer && a.cumulative == b.cumulative && a.ttl_s == b.ttl_s &&
               a.ttl_min_s == b.ttl_min_s && a.countdown_until == b.countdown_until;
    };
    auto& pieces = classes_[group].pieces;
    // What was before the drill is its beginning; what happens at its beginning finds caches that
    // hold what was before.
    const base::Mono from =
        at < base::Mono{} ? base::Mono{} : std::max(at, base::Mono{} + kFirstMoment);
    switched_ = switched_ || (!pieces.empty() && from > base::Mono{} && mix != last_[group]);
    last_[group] = std::move(mix);
    if (!pieces.empty() && pieces.back().from == from) {
        pieces.pop_back();
    }
    if (pieces.empty() || !std::equal(offers.begin(), offers.end(), pieces.back().offers.begin(),
                                      pieces.back().offers.end(), same_offer)) {
        pieces.push_back({from, std::move(offers)});
    }
}

void AnswerBook::move_into(Timeline& timeline) {
    timeline.answers = std::move(answers_);
    timeline.classes = std::move(classes_);
    timeline.cells = clients_.cells;
    timeline.switches = switches_;
}

std::uint32_t ttl_at(const Offer& offer, base::Mono at) noexcept {
    if (offer.countdown_until == base::kNever) {
        return offer.ttl_s;
    }
    const auto left = std::chrono::ceil<std::chrono::seconds>(offer.countdown_until - at).count();
    return std::max(offer.ttl_min_s,
                    static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 0, offer.ttl_s)));
}

}  // namespace steerd::drill
