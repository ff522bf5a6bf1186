// Events against the log and the pieces of the timeline.
#include "drill/virtual_events.h"

#include <algorithm>
#include <map>
#include <set>

namespace steerd::drill {

using base::Mono;
using config::index;
using health::Health;

namespace {

bool harms(const ScenarioEvent& event) {
    switch (event.kind) {
        case EventKind::Kill:
        case EventKind::Blackhole:
        case EventKind::Hang:
        case EventKind::Slow:
        case EventKind::Gray:
        case EventKind::Flap:
        case EventKind::Partition:
            return true;
        case EventKind::Recover:
        case EventKind::Drain:
        case EventKind::Release:
        case EventKind::Weight:
            return false;
    }
    return false;
}

bool takes_out(const ScenarioEvent& event) {
    return harms(event) || event.kind == EventKind::Drain ||
           (event.kind == EventKind::Weight && event.weight == 0);
}

/// Whether `later` ends what `event` began.
bool ends_it(const ScenarioEvent& event, const std::vector<policy::EndpointId>& endpoints,
             const ScenarioEvent& later, const std::vector<policy::EndpointId>& others) {
    if (event.on_server() || later.on_server()) {
        return event.on_server() && later.on_server() && later.kind == EventKind::Recover;
    }
    const bool common = std::any_of(others.begin(), others.end(), [&](auto id) {
        return std::find(endpoints.begin(), endpoints.end(), id) != endpoints.end();
    });
    switch (event.kind) {
        case EventKind::Drain:
            return common && later.kind == EventKind::Release;
        case EventKind::Weight:
            return later.kind == EventKind::Weight && later.route == event.route &&
                   later.target == event.target && later.weight > 0;
        case EventKind::Recover:
        case EventKind::Release:
            return common && takes_out(later);
        default:
            return common && later.kind == EventKind::Recover;
    }
}

/// Intervals in which the authority answers.
class Serving {
  public:
    explicit Serving(const Timeline& timeline) : states_(timeline.authority) {}

    /// The last moment before `to` and after `from` at which it answers; `from` where none is.
    [[nodiscard]] Mono last_in(Mono from, Mono to) const {
        Mono last = from;
        Mono begin = Mono::min();
        bool up = true;
        const auto take = [&](Mono end) {
            if (up && std::max(begin, from) < std::min(end, to)) {
                last = std::min(end, to);
            }
        };
        for (const AuthorityState& state : states_) {
            take(state.from);
            begin = state.from;
            up = state.state == Authority::Up;
        }
        take(Mono::max());
        return last;
    }

  private:
    const std::vector<AuthorityState>& states_;
};

using Shares = std::map<std::uint32_t, double>;  // by answer

Shares shares_of(const Piece& piece) {
    Shares out;
    double before = 0;
    for (const Offer& offer : piece.offers) {
        out[offer.answer] += offer.cumulative - before;
        before = offer.cumulative;
    }
    return out;
}

bool same(const Shares& a, const Shares& b) {
    constexpr double kSlack = 1e-9;
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](const auto& x, const auto& y) {
        return x.first == y.first && std::abs(x.second - y.second) < kSlack;
    });
}

/// Which answers name one of these endpoints.
std::vector<bool> naming(const Timeline& timeline,
                         const std::vector<policy::EndpointId>& endpoints) {
    std::vector<bool> out;
    for (const Answer& answer : timeline.answers) {
        out.push_back(std::any_of(answer.endpoints.begin(), answer.endpoints.end(), [&](auto id) {
            return std::find(endpoints.begin(), endpoints.end(), id) != endpoints.end();
        }));
    }
    return out;
}

bool names(const Piece& piece, const std::vector<bool>& naming) {
    return std::any_of(piece.offers.begin(), piece.offers.end(),
                       [&](const Offer& offer) { return naming[offer.answer]; });
}

/// Calls fn with each piece that holds for some time in [from, to), and that time.
template <typename Fn>
void for_pieces(const ClassTimeline& line, Mono from, Mono to, Fn&& fn) {
    for (std::size_t i = 0; i < line.pieces.size(); ++i) {
        const Mono end = i + 1 < line.pieces.size() ? line.pieces[i + 1].from : Mono::max();
        const Mono first = std::max(line.pieces[i].from, from);
        const Mono last = std::min(end, to);
        if (first < last) {
            fn(line.pieces[i], first, last);
        }
    }
}

/// From when on no answer of the authority names the endpoints, until `to`; never: they are named
/// up to the end.
Mono unnamed_from(const Timeline& timeline, const std::vector<policy::EndpointId>& endpoints,
                  Mono from, Mono to) {
    const auto which = naming(timeline, endpoints);
    const Serving serving(timeline);
    Mono last = from;
    for (const ClassTimeline& line : timeline.classes) {
        for_pieces(line, from, to, [&](const Piece& piece, Mono first, Mono end) {
            if (names(piece, which)) {
                last = std::max(last, serving.last_in(first, end));
            }
        });
    }
    return last >= to ? base::kNever : last;
}

/// The first moment from `from` on at which every class is answered as at `before`; never: not
/// until `to`.
Mono as_at(const Timeline& timeline, Mono before, Mono from, Mono to) {
    std::set<Mono> moments{from};
    std::vector<Shares> wanted;
    for (const ClassTimeline& line : timeline.classes) {
        for_pieces(line, before, before + base::Duration(1),
                   [&](const Piece& piece, Mono, Mono) { wanted.push_back(shares_of(piece)); });
        for_pieces(line, from, to, [&](const Piece&, Mono first, Mono) { moments.insert(first); });
    }
    for (const Mono moment : moments) {
        bool all = moment < to;
        for (std::size_t i = 0; all && i < timeline.classes.size(); ++i) {
            for_pieces(timeline.classes[i], moment, moment + base::Duration(1),
                       [&](const Piece& piece, Mono, Mono) {
                           all = all && same(shares_of(piece), wanted[i]);
                       });
        }
        if (all) {
            return moment;
        }
    }
    return base::kNever;
}

/// The moment just before an event, within the drill.
Mono just_before(Mono at) { return std::max(Mono{}, at - base::Duration(1)); }

class Noticing {
  public:
    Noticing(const DrillLog& log, const JudgedBy& judged_by) : log_(log), judged_by_(judged_by) {}

    /// When the last address of the endpoints has come to a belief that `fits`.
    template <typename Fits>
    Mono all_in(const std::vector<policy::EndpointId>& endpoints, Mono from, Mono to,
                Fits&& fits) const {
        Mono last = endpoints.empty() ? base::kNever : from;
        for (const auto endpoint : endpoints) {
            for (const auto& address : judged_by_[index(endpoint)]) {
                last = std::max(last, first_in(endpoint, address, from, to, fits));
            }
        }
        return last;
    }

    Mono first_bad(const std::vector<policy::EndpointId>& endpoints, Mono from, Mono to) const {
        for (const auto& check : log_.bad_checks) {
            if (check.at < from || check.at > to) {
                continue;
            }
            for (const auto endpoint : endpoints) {
                const auto& mine = judged_by_[index(endpoint)];
                if (std::find(mine.begin(), mine.end(), check.address) != mine.end()) {
                    return check.at;
                }
            }
        }
        return base::kNever;
    }

  private:
    template <typename Fits>
    Mono first_in(policy::EndpointId endpoint, const base::IpAddress& address, Mono from, Mono to,
                  Fits&& fits) const {
        bool already = false;
        for (const auto& belief : log_.beliefs) {
            if (belief.endpoint != endpoint || belief.address != address) {
                continue;
            }
            if (belief.at <= from) {
                already = fits(belief.health);
            } else if (already) {
                return from;
            } else if (belief.at <= to && fits(belief.health)) {
                return belief.at;
            }
        }
        return already ? from : base::kNever;
    }

    const DrillLog& log_;
    const JudgedBy& judged_by_;
};

/// Slow or failing now and then: degraded is what it should be found.
bool softly(const ScenarioEvent& event) {
    return event.kind == EventKind::Slow || event.kind == EventKind::Gray;
}

}  // namespace

std::vector<EventTimes> event_times(const Scenario& scenario, const Bound& bound,
                                    const DrillLog& log, const JudgedBy& judged_by,
                                    const Timeline& timeline) {
    const Mono over{timeline.duration};
    const Noticing noticing(log, judged_by);
    std::vector<EventTimes> out;
    for (std::size_t i = 0; i < scenario.events.size(); ++i) {
        const ScenarioEvent& event = scenario.events[i];
        EventTimes& times = out.emplace_back();
        times.event = i;
        times.at = Mono{event.at};
        times.endpoints = bound.endpoints[i];
        times.takes_out = takes_out(event);
        std::size_t opened = i;  // what this one ends
        for (std::size_t j = i + 1; j < scenario.events.size(); ++j) {
            if (ends_it(event, times.endpoints, scenario.events[j], bound.endpoints[j])) {
                times.ends = Mono{scenario.events[j].at};
                break;
            }
        }
        for (std::size_t j = 0; j < i && !times.takes_out; ++j) {
            if (out[j].takes_out &&
                ends_it(scenario.events[j], bound.endpoints[j], event, times.endpoints)) {
                opened = j;
                break;  // the first: before it all was well
            }
        }
        const Mono until = std::min(times.ends, over);
        if (event.on_server()) {
            times.detected = times.takes_out ? base::kNever : log.in_force[i];
            continue;
        }
        if (harms(event)) {
            times.first_failed = noticing.first_bad(times.endpoints, times.at, until);
            times.detected = noticing.all_in(times.endpoints, times.at, until, [&](Health health) {
                return health == Health::Down || (softly(event) && health == Health::Degraded);
            });
        } else if (event.kind == EventKind::Recover) {
            times.detected = noticing.all_in(times.endpoints, times.at, until,
                                             [](Health health) { return health == Health::Up; });
        } else {
            times.detected = log.in_force[i];
        }
        if (times.takes_out) {
            times.switched = unnamed_from(timeline, times.endpoints, times.at, until);
        } else if (opened != i) {
            times.switched = as_at(timeline, just_before(out[opened].at), times.at, until);
        }
    }
    return out;
}

std::vector<EventStory> event_stories(const Timeline& timeline) {
    const Mono over{timeline.duration};
    std::vector<EventStory> out;
    for (const EventTimes& event : timeline.events) {
        EventStory& story = out.emplace_back();
        if (!event.takes_out || event.endpoints.empty()) {
            continue;
        }
        const Mono until = std::min(event.ends, over);
        const auto which = naming(timeline, event.endpoints);
        std::set<Mono> anew;
        for (const ClassTimeline& line : timeline.classes) {
            bool named = true;
            for_pieces(line, event.at, until, [&](const Piece& piece, Mono first, Mono) {
                const bool now = names(piece, which);
                if (now && !named && first > event.at) {
                    anew.insert(first);
                }
                named = now;
            });
        }
        story.flaps = static_cast<std::uint32_t>(anew.size());
        if (event.ends < over) {
            Mono next = over;  // whatever breaks next ends the wait
            for (const EventTimes& other : timeline.events) {
                if (other.takes_out && other.at > event.ends) {
                    next = std::min(next, other.at);
                }
            }
            const Mono back = as_at(timeline, just_before(event.at), event.ends, next);
            if (back != base::kNever) {
                story.switch_back_s = std::chrono::duration<double>(back - event.ends).count();
            }
        }
    }
    return out;
}

}  // namespace steerd::drill
