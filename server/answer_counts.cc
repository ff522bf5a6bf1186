// See answer_counts.h. Laying out is control's work, at a start or reload; counting is the packet
// path's. Thread rule: as answer_counts.h.
#include "server/answer_counts.h"

#include <algorithm>
#include <utility>

namespace steerd::server {

namespace {

// Trees that stand far apart in the list of endpoints lie wide: a bound on memory, not on rows.
constexpr std::size_t kMaxOrdinals = 1'000'000;

}  // namespace

AnswerLayout::Row AnswerLayout::add_row(std::size_t endpoints, std::uint32_t at) {
    const Row row{static_cast<std::uint32_t>(cells_), at};
    cells_ += kHeadSize + endpoints;
    rows_.push_back(row);
    return row;
}

AnswerLayout::AnswerLayout(const policy::Plan& plan) {
    const auto& slots = plan.zone_set.slots();
    for (std::size_t i = 0; i < std::min(slots.size(), kMaxZones); ++i) {
        zones_.push_back(slots[i].apex.to_text());
    }
    for (const auto& endpoint : plan.endpoints) {
        endpoints_.push_back(endpoint.name);
    }
    // Names of one tree share its ordinals; they lie as wide as the tree's ids do.
    std::vector<std::uint32_t> at_of_tree(plan.trees.size(), policy::kNone);
    std::size_t pairs = 0;
    for (const auto& name : plan.steered) {
        const auto tree = config::index(name.tree);
        const auto& endpoints = plan.trees[tree].endpoints;
        pairs += endpoints.size();
        if (names_.size() == kMaxNames || pairs > kMaxPairs || ordinals_.size() > kMaxOrdinals) {
            break;
        }
        NameLabel label{name.owner.to_text(), {}};
        for (const auto endpoint : endpoints) {
            label.endpoints.push_back(static_cast<std::uint32_t>(endpoint));
        }
        if (at_of_tree[tree] == policy::kNone && !endpoints.empty()) {
            const auto [low, high] = std::ranges::minmax(label.endpoints);
            const std::size_t begin = ordinals_.size();
            ordinals_.resize(begin + high - low + 1);
            for (std::uint32_t i = 0; i < label.endpoints.size(); ++i) {
                ordinals_[begin + label.endpoints[i] - low] = i;
            }
            at_of_tree[tree] = static_cast<std::uint32_t>(begin) - low;
        }
        add_row(label.endpoints.size(), at_of_tree[tree]);
        names_.push_back(std::move(label));
    }
    NameLabel other{"other", {}};
    const auto at = static_cast<std::uint32_t>(ordinals_.size());
    for (std::uint32_t i = 0; i < endpoints_.size(); ++i) {
        other.endpoints.push_back(i);
        ordinals_.push_back(i);
    }
    add_row(endpoints_.size(), at);
    names_.push_back(std::move(other));
}

AnswerBlock::AnswerBlock(const AnswerLayout& layout)
    : last_zone_row_(static_cast<std::uint32_t>(layout.zone_rows() - 1)),
      last_row_(static_cast<std::uint32_t>(layout.rows().size() - 1)),
      rows_(layout.rows().data()),
      ordinals_(layout.ordinals().data()),
      zones_(layout.zone_rows() * 2 * AnswerLayout::kRcodes),
      names_(layout.name_cells()) {}

/// Several endpoints, none, or all down.
void AnswerBlock::count_odd(const policy::Decision& decision,
                            const AnswerLayout::Row& row) noexcept {
    for (std::size_t i = 0; i < decision.endpoint_count; ++i) {
        count_endpoint(row, decision.endpoints[i]);
    }
    if (decision.fail_open) {
        names_[row.first + AnswerLayout::FailOpen].add();
    }
    if (decision.endpoint_count == 0) {
        names_[row.first + AnswerLayout::Nobody].add();
    } else {
        names_[row.first + AnswerLayout::Further].add(decision.endpoint_count - 1U);
    }
}

}  // namespace steerd::server
