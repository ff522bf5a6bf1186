// Makes the flat timeline: nanoseconds become seconds, flags of answers move to the offers that
// carry them. The TTL of a negative answer is its offer's, as of any other (RFC 2308 5).
#include "drill/engine_timeline.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace steerd::drill {

namespace {

FlatOffer flat_offer(const Timeline& timeline, const Offer& offer) {
    CHECK(offer.answer < timeline.answers.size());
    const Answer& answer = timeline.answers[offer.answer];
    FlatOffer flat;
    flat.cumulative = offer.cumulative;
    flat.until = seconds(offer.countdown_until);
    flat.ttl_s = offer.ttl_s;
    flat.ttl_min_s = offer.ttl_min_s;
    flat.answer = offer.answer;
    flat.negative = answer.negative;
    flat.servfail = answer.servfail;
    return flat;
}

FlatClass flat_class(const Timeline& timeline, const ClassTimeline& from) {
    CHECK(!from.pieces.empty());
    FlatClass flat;
    std::size_t total = 0;
    for (const Piece& piece : from.pieces) {
        total += piece.offers.size();
    }
    flat.offers.reserve(total);  // pieces point into it
    for (const Piece& piece : from.pieces) {
        CHECK(!piece.offers.empty());
        const FlatOffer* first = flat.offers.data() + flat.offers.size();
        for (const Offer& offer : piece.offers) {
            flat.offers.push_back(flat_offer(timeline, offer));
        }
        flat.pieces.push_back(
            FlatPiece{seconds(piece.from), first, static_cast<std::uint32_t>(piece.offers.size())});
    }
    flat.pieces.push_back(FlatPiece{kForever, nullptr, 0});
    return flat;
}

}  // namespace

double seconds(base::Mono at) noexcept {
    return at == base::kNever ? kForever
                              : std::chrono::duration<double>(at.time_since_epoch()).count();
}

const FlatAuthority& FlatTimeline::authority_at(double t) const noexcept {
    const FlatAuthority* state = authority.data();
    while (state[1].from <= t) {
        ++state;
    }
    return *state;
}

FlatTimeline flatten(const Timeline& timeline) {
    FlatTimeline flat;
    flat.duration = std::chrono::duration<double>(timeline.duration).count();
    flat.failed = static_cast<std::uint32_t>(timeline.answers.size());
    for (const ClassTimeline& one : timeline.classes) {
        flat.classes.push_back(flat_class(timeline, one));
    }
    flat.authority.push_back(FlatAuthority{});
    for (const AuthorityState& state : timeline.authority) {
        const FlatAuthority next{seconds(state.from), state.state == Authority::Up,
                                 state.state == Authority::Hung};
        if (next.from <= 0) {
            flat.authority.back() = next;
        } else if (next.up != flat.authority.back().up || next.hung != flat.authority.back().hung) {
            flat.authority.push_back(next);
        }
    }
    flat.authority.push_back(FlatAuthority{kForever, true, false});
    for (FlatClass& one : flat.classes) {
        const double change = std::min({one.pieces[1].from, flat.authority[1].from, flat.duration});
        one.settled_after = std::max(one.pieces.end()[-2].from, flat.authority.end()[-2].from);
        one.still_until = flat.authority[0].up ? std::nextafter(change, 0) : 0;
    }
    return flat;
}

}  // namespace steerd::drill
