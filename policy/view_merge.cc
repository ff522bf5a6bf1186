// Joining classes that decide alike although their orders differ: regions that never compete,
// routes whose every member is known to be down by the time they are asked, two ways to say one
// thing.
//
// All health that the tree can see is played through: each endpoint up, degraded or out (one
// without probes is never degraded), each remembering route staying on each of its members or on
// none. The classes are split wherever two of them come to different outcomes; what is never split
// is one class. Where that is more than kMostEvaluations, the orders stand as they are: too fine is
// only too narrow a scope, never a wrong one. Thread rule: load plane, one thread.
#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "policy/view_build.h"
#include "policy/view_evaluate.h"

namespace steerd::policy {

namespace {

using config::Policy;

constexpr std::uint64_t kMostEvaluations = 1'000'000;
constexpr std::size_t kMostPreferred = 6;  // 720 orders

/// Counts through all combinations of digits with these bases.
class Odometer {
  public:
    explicit Odometer(std::vector<std::uint32_t> bases)
        : bases_(std::move(bases)), digits_(bases_.size()) {}

    /// False when all have been seen.
    bool next() {
        for (std::size_t i = 0; i < digits_.size(); ++i) {
            if (++digits_[i] < bases_[i]) {
                return true;
            }
            digits_[i] = 0;
        }
        return false;
    }

    [[nodiscard]] std::uint32_t digit(std::size_t i) const noexcept { return digits_[i]; }

    /// Capped far above any bound.
    [[nodiscard]] std::uint64_t combinations() const noexcept {
        std::uint64_t product = 1;
        for (const std::uint32_t base : bases_) {
            product = std::min<std::uint64_t>(product * base, std::uint64_t{1} << 30);
        }
        return product;
    }

  private:
    std::vector<std::uint32_t> bases_;
    std::vector<std::uint32_t> digits_;
};

/// Endpoints, then routes that remember.
Odometer health_of(const ViewShape& shape) {
    std::vector<std::uint32_t> bases;
    for (const ShapeEndpoint& endpoint : shape.endpoints) {
        bases.push_back(endpoint.probed ? 3 : 2);
    }
    for (const ShapeRoute& route : shape.routes) {
        bases.push_back(route.remembers ? route.member_count + 1 : 1);
    }
    return Odometer(std::move(bases));
}

void read(const ViewShape& shape, const Odometer& health, Supposed& supposed) {
    const std::size_t count = shape.endpoints.size();
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t digit = health.digit(i);
        supposed.endpoints[i] = digit == 0   ? Condition::Up
                                : digit == 1 ? Condition::Out
                                             : Condition::Degraded;
    }
    for (std::size_t i = 0; i < shape.routes.size(); ++i) {
        const std::uint32_t digit = health.digit(count + i);
        supposed.holds[i] = digit == 0 ? kNone : digit - 1;
    }
}

/// Names of members of latency routes that stand under latency: the region such a route comes to
/// may depend on the hash, so there the hash has to be played through too.
std::vector<std::uint32_t> names_to_prefer(const ViewShape& shape,
                                           const ShapeEvaluator& evaluator) {
    std::vector<std::uint32_t> names;
    for (std::size_t r = 0; r < shape.routes.size(); ++r) {
        const ShapeRoute& route = shape.routes[r];
        if (route.policy != Policy::Latency || !evaluator.under_latency(r)) {
            continue;
        }
        for (std::uint32_t i = 0; i < route.member_count; ++i) {
            names.push_back(evaluator.name_of(shape.members[route.first_member + i]));
        }
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

/// Classes in groups that nothing has told apart so far.
class Partition {
  public:
    explicit Partition(std::size_t classes) : group_(classes), hashed_(classes) {}

    void split(std::span<const Outcomes::Id> outcomes) {
        std::unordered_map<std::uint64_t, std::uint32_t> finer;
        for (std::size_t i = 0; i < group_.size(); ++i) {
            const std::uint64_t key = std::uint64_t{group_[i]} << 32 | outcomes[i];
            group_[i] =
                finer.try_emplace(key, static_cast<std::uint32_t>(finer.size())).first->second;
        }
        groups_ = finer.size();
    }

    void set_hashed(std::size_t i) { hashed_[i] = 1; }

    /// One class for each group. The first of each stands for it.
    void apply(const ViewShape& shape, Classes& classes) const {
        std::vector<bool> written(groups_);
        std::vector<ClassWord> words(groups_ * shape.words);
        std::vector<std::uint8_t> hashed(groups_);
        for (std::size_t i = 0; i < group_.size(); ++i) {
            hashed[group_[i]] |= hashed_[i];
            if (!written[group_[i]]) {
                written[group_[i]] = true;
                const auto from = classes.words.begin();
                std::copy_n(from + static_cast<std::ptrdiff_t>(i * shape.words), shape.words,
                            words.begin() + static_cast<std::ptrdiff_t>(group_[i] * shape.words));
            }
        }
        for (std::uint32_t& id : classes.of_cell) {
            id = group_[id];
        }
        classes.words = std::move(words);
        classes.hashed = std::move(hashed);
    }

  private:
    std::vector<std::uint32_t> group_;
    std::vector<std::uint8_t> hashed_;
    std::size_t groups_ = 1;
};

class Merger {
  public:
    Merger(const ViewShape& shape, Classes& classes)
        : shape_(shape),
          classes_(classes),
          outcomes_(shape),
          evaluator_(shape, outcomes_),
          partition_(classes.hashed.size()),
          ids_(classes.hashed.size()) {
        supposed_.endpoints.resize(shape.endpoints.size());
        supposed_.holds.resize(shape.routes.size());
    }

    void run(std::uint64_t& evaluations_left) {
        Odometer health = health_of(shape_);
        const std::vector<std::uint32_t> names = names_to_prefer(shape_, evaluator_);
        std::uint64_t evaluations = health.combinations() * classes_.hashed.size();
        for (std::size_t i = 2; i <= names.size(); ++i) {
            evaluations *= i;
        }
        if (names.size() > kMostPreferred ||
            evaluations > std::min(kMostEvaluations, evaluations_left)) {
            return;
        }
        evaluations_left -= evaluations;
        do {
            read(shape_, health, supposed_);
            one_health(names);
        } while (health.next());
        partition_.apply(shape_, classes_);
    }

  private:
    void one_health(std::vector<std::uint32_t> order) {
        evaluator_.suppose(supposed_);
        std::vector<Outcomes::Id> first;
        do {
            if (!order.empty()) {
                supposed_.preference.assign(shape_.endpoints.size() + shape_.routes.size(), kNone);
                for (std::uint32_t i = 0; i < order.size(); ++i) {
                    supposed_.preference[order[i]] = i;
                }
            }
            for (std::size_t i = 0; i < ids_.size(); ++i) {
                ids_[i] = evaluate(i);
                if (outcomes_.hashed(ids_[i]) || (!first.empty() && first[i] != ids_[i])) {
                    partition_.set_hashed(i);
                }
            }
            partition_.split(ids_);
            first = first.empty() ? ids_ : first;
        } while (std::next_permutation(order.begin(), order.end()));
    }

    Outcomes::Id evaluate(std::size_t i) {
        const auto words = std::span(classes_.words).subspan(i * shape_.words, shape_.words);
        const Outcomes::Id id = evaluator_.evaluate(words);
        if (id == Outcomes::kFenced) {
            return Outcomes::kNothing;  // at the root a fence keeps nobody from anything
        }
        // While a CNAME target is available the question is only whether the decision falls on it;
        // which address it is else, is asked again without it (product.md §4.3).
        const bool only_cname =
            id != Outcomes::kNothing && !outcomes_.has_cname(id) && cname_available();
        return only_cname ? Outcomes::kNoCname : id;
    }

    [[nodiscard]] bool cname_available() const {
        for (std::size_t i = 0; i < shape_.endpoints.size(); ++i) {
            if (shape_.endpoints[i].cname && supposed_.endpoints[i] != Condition::Out) {
                return true;
            }
        }
        return false;
    }

    const ViewShape& shape_;
    Classes& classes_;
    Outcomes outcomes_;
    ShapeEvaluator evaluator_;
    Partition partition_;
    Supposed supposed_;
    std::vector<Outcomes::Id> ids_;
};

}  // namespace

void merge_alike(const ViewShape& shape, Classes& classes, std::uint64_t& evaluations_left) {
    if (!shape.exact) {
        Merger(shape, classes).run(evaluations_left);
    }
}

}  // namespace steerd::policy
