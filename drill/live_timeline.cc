#include "drill/live_timeline.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace steerd::drill {

namespace {

constexpr double kBeforeWord_s = 0.05;  // the word may be read a little late
constexpr double kLongestTurn_s = 1.0;
constexpr double kSeenAtLeast = 5;  // as many were expected of an answer that is gone

struct Turn {
    double begin = 0, end = 0;
};

struct Count {
    double samples = 0;
    std::uint32_t ttl_s = 0;
};

using Mix = std::map<std::uint32_t, Count>;  // by answer

std::set<std::uint32_t> answers_of(const Mix& mix) {
    std::set<std::uint32_t> out;
    for (const auto& [answer, count] : mix) {
        out.insert(answer);
    }
    return out;
}

double samples_of(const Mix& mix) {
    double sum = 0;
    for (const auto& [answer, count] : mix) {
        sum += count.samples;
    }
    return sum;
}

void add(Mix& mix, const LiveSample& sample) {
    Count& count = mix[sample.answer];
    count.samples += 1;
    count.ttl_s = std::max(count.ttl_s, sample.ttl_s);
}

base::Mono mono_of(double at) {
    return base::Mono{
        base::Duration(static_cast<base::Duration::rep>(std::llround(std::max(0.0, at) * 1e9)))};
}

std::vector<Turn> turns_of(const std::vector<double>& moments) {
    std::vector<Turn> turns;
    for (const double at : moments) {
        const double end = at + kSettle_s;
        if (!turns.empty() && at - kBeforeWord_s <= turns.back().end &&
            end - turns.back().begin <= kLongestTurn_s) {
            turns.back().end = end;
        } else if (turns.empty() || end > turns.back().end) {
            const double begin =
                turns.empty() ? at - kBeforeWord_s : std::max(at - kBeforeWord_s, turns.back().end);
            turns.push_back({begin, end});
        }
    }
    return turns;
}

std::vector<Offer> offers_of(const Mix& mix) {
    std::vector<Offer> offers;
    const double total = samples_of(mix);
    double sum = 0;
    for (const auto& [answer, count] : mix) {
        sum += count.samples;
        Offer offer;
        offer.answer = answer;
        offer.cumulative = sum / total;
        offer.ttl_s = count.ttl_s;
        offers.push_back(offer);
    }
    if (!offers.empty()) {
        offers.back().cumulative = 1;
    }
    return offers;
}

class Group {
  public:
    Group(const std::vector<LiveSample>& samples, const std::vector<Turn>& turns)
        : samples_(samples), turns_(turns), mixes_(turns.size() + 1) {
        for (const LiveSample& sample : samples_) {
            if (!turning(sample.at)) {
                add(mixes_[after(sample.at)], sample);
            }
        }
    }

    ClassTimeline run() {
        const bool drawn = std::any_of(mixes_.begin(), mixes_.end(),
                                       [](const Mix& mix) { return mix.size() > 1; });
        return drawn ? mixed() : single();
    }

  private:
    /// How many turns have ended by then.
    [[nodiscard]] std::size_t after(double at) const {
        const auto found =
            std::upper_bound(turns_.begin(), turns_.end(), at,
                             [](double t, const Turn& turn) { return t < turn.end; });
        return static_cast<std::size_t>(found - turns_.begin());
    }

    [[nodiscard]] bool turning(double at) const {
        const std::size_t next = after(at);
        return next < turns_.size() && turns_[next].begin <= at;
    }

    /// One answer at a time: from one sample to the next it is another.
    ClassTimeline single() const {
        ClassTimeline out;
        std::size_t i = 0;
        while (i < samples_.size()) {
            Mix mix;
            const double from = i == 0 ? 0 : samples_[i].at;
            const std::uint32_t answer = samples_[i].answer;
            for (; i < samples_.size() && samples_[i].answer == answer; ++i) {
                add(mix, samples_[i]);
            }
            out.pieces.push_back({mono_of(from), offers_of(mix)});
        }
        return out;
    }

    /// Too few samples say nothing of an answer that is seldom drawn.
    static bool only_missed(const Mix& mix, const Mix& before) {
        const auto now = answers_of(mix);
        if (now == answers_of(before)) {
            return false;  // nothing is missing; the shares may be others
        }
        const double samples = samples_of(mix);
        const double all = samples_of(before);
        for (const auto& [answer, count] : before) {
            if (!now.contains(answer) && samples * count.samples / all >= kSeenAtLeast) {
                return false;
            }
        }
        return std::all_of(now.begin(), now.end(),
                           [&](std::uint32_t answer) { return before.contains(answer); });
    }

    /// When, in the turn, the answers before were last to be had.
    [[nodiscard]] double boundary(const Turn& turn, const Mix& before, const Mix& now) const {
        double old_until = -1;
        double new_from = -1;
        for (std::size_t i = 0; i < samples_.size(); ++i) {
            const LiveSample& sample = samples_[i];
            if (sample.at < turn.begin || sample.at >= turn.end) {
                continue;
            }
            if (!now.contains(sample.answer)) {
                old_until = i + 1 < samples_.size() ? samples_[i + 1].at : turn.end;
            }
            if (new_from < 0 && !before.contains(sample.answer)) {
                new_from = sample.at;
            }
        }
        if (old_until >= 0) {
            return old_until;
        }
        return new_from >= 0 ? new_from : std::min(turn.end, turn.begin + kBeforeWord_s);
    }

    ClassTimeline mixed() {
        // The same set of answers under the same turn of weights is one mix: its shares are those
        // of all samples of it, so that a place which comes back is seen to be as before.
        std::map<std::set<std::uint32_t>, Mix> pooled;
        for (std::size_t i = 0; i < mixes_.size(); ++i) {
            if (mixes_[i].empty() || (i > 0 && only_missed(mixes_[i], mixes_[i - 1]))) {
                mixes_[i] = i > 0 ? mixes_[i - 1] : mixes_[i];
            }
            Mix& pool = pooled[answers_of(mixes_[i])];
            if (pool.empty() || like(pool, mixes_[i])) {
                for (const auto& [answer, count] : mixes_[i]) {
                    pool[answer].samples += count.samples;
                    pool[answer].ttl_s = std::max(pool[answer].ttl_s, count.ttl_s);
                }
            }
        }
        for (Mix& mix : mixes_) {
            const Mix& pool = pooled[answers_of(mix)];
            mix = !mix.empty() && like(pool, mix) ? pool : mix;
        }
        ClassTimeline out;
        for (std::size_t i = 0; i < mixes_.size(); ++i) {
            if (mixes_[i].empty() || (i > 0 && same(mixes_[i], mixes_[i - 1]))) {
                continue;
            }
            const double from =
                out.pieces.empty() ? 0 : boundary(turns_[i - 1], mixes_[i - 1], mixes_[i]);
            out.pieces.push_back({mono_of(from), offers_of(mixes_[i])});
        }
        return out;
    }

    static bool same(const Mix& a, const Mix& b) {
        return answers_of(a) == answers_of(b) && samples_of(a) == samples_of(b) && like(a, b);
    }

    /// Shares that differ by no more than chance explains, at three standard errors.
    static bool like(const Mix& a, const Mix& b) {
        const double all_a = samples_of(a);
        const double all_b = samples_of(b);
        return std::all_of(a.begin(), a.end(), [&](const auto& one) {
            const auto other = b.find(one.first);
            if (other == b.end()) {
                return false;
            }
            const double p = (one.second.samples + other->second.samples) / (all_a + all_b);
            const double error = std::sqrt(p * (1 - p) * (1 / all_a + 1 / all_b));
            return std::abs(one.second.samples / all_a - other->second.samples / all_b) <=
                   3 * error + 1e-9;
        });
    }

    const std::vector<LiveSample>& samples_;
    const std::vector<Turn>& turns_;
    std::vector<Mix> mixes_;  // between turns
};

}  // namespace

std::vector<ClassTimeline> classes_seen(const LiveSeen& seen) {
    std::vector<std::vector<LiveSample>> by_group(seen.groups);
    for (const LiveSample& sample : seen.samples) {
        by_group[sample.group].push_back(sample);
    }
    const std::vector<Turn> turns = turns_of(seen.turns);
    std::vector<ClassTimeline> out;
    for (const auto& samples : by_group) {
        out.push_back(Group(samples, turns).run());
    }
    return out;
}

std::uint32_t switches_seen(const std::vector<ClassTimeline>& classes) {
    std::set<base::Mono> moments;
    for (const ClassTimeline& one : classes) {
        for (std::size_t i = 1; i < one.pieces.size(); ++i) {
            moments.insert(one.pieces[i].from);
        }
    }
    std::uint32_t switches = 0;
    base::Mono last = base::Mono::min();
    for (const base::Mono at : moments) {
        if (switches == 0 || at - last > mono_of(kSettle_s).time_since_epoch()) {
            ++switches;
        }
        last = at;
    }
    return switches;
}

}  // namespace steerd::drill
