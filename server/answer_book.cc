// See answer_book.h. Labels are matched by hash, once for each plan. Thread rule: as answer_book.h.
#include "server/answer_book.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace steerd::server {

AnswerTotals::AnswerTotals(std::shared_ptr<const AnswerLayout> layout)
    : layout_(std::move(layout)),
      zones_(layout_->zone_rows() * 2 * AnswerLayout::kRcodes),
      names_(layout_->name_cells()) {}

std::uint64_t AnswerTotals::decisions(std::size_t name) const {
    std::uint64_t sum = head(name, AnswerLayout::Nobody);
    for (std::size_t i = 0; i < layout_->names()[name].endpoints.size(); ++i) {
        sum += endpoint(name, i);
    }
    // Read one after the other while others count: never below zero.
    return sum - std::min(sum, head(name, AnswerLayout::Further));
}

std::vector<std::uint64_t> AnswerTotals::by_endpoint() const {
    std::vector<std::uint64_t> sums(layout_->endpoints().size());
    for (std::size_t name = 0; name < layout_->names().size(); ++name) {
        const auto& endpoints = layout_->names()[name].endpoints;
        for (std::size_t i = 0; i < endpoints.size(); ++i) {
            sums[endpoints[i]] += endpoint(name, i);
        }
    }
    return sums;
}

void AnswerTotals::add(const AnswerBlock& block) {
    for (std::size_t row = 0; row < layout_->zone_rows(); ++row) {
        for (const auto transport : {policy::Transport::Udp, policy::Transport::Tcp}) {
            for (std::size_t rcode = 0; rcode < AnswerLayout::kRcodes; ++rcode) {
                zones_[zone_cell(row, transport, rcode)] += block.zone(row, transport, rcode);
            }
        }
    }
    for (std::size_t cell = 0; cell < names_.size(); ++cell) {
        names_[cell] += block.name_cell(cell);
    }
}

void AnswerTotals::carry_zone(const AnswerTotals& from, std::size_t from_row, std::size_t row) {
    constexpr std::size_t kWidth = 2 * AnswerLayout::kRcodes;
    for (std::size_t i = 0; i < kWidth; ++i) {
        zones_[row * kWidth + i] += from.zones_[from_row * kWidth + i];
    }
}

void AnswerTotals::carry_name(const AnswerTotals& from, std::size_t from_row, std::size_t row) {
    const auto& old = *from.layout_;
    const std::uint32_t old_first = old.rows()[from_row].first;
    const std::uint32_t first = layout_->rows()[row].first;
    for (std::size_t i = 0; i < AnswerLayout::kHeadSize; ++i) {
        names_[first + i] += from.names_[old_first + i];
    }
    std::unordered_map<std::string_view, std::size_t> place;
    const auto& mine = layout_->names()[row].endpoints;
    for (std::size_t i = 0; i < mine.size(); ++i) {
        place.emplace(layout_->endpoints()[mine[i]], i);
    }
    const auto& theirs = old.names()[from_row].endpoints;
    for (std::size_t i = 0; i < theirs.size(); ++i) {
        const std::uint64_t count = from.names_[old_first + AnswerLayout::kHeadSize + i];
        const auto found = place.find(old.endpoints()[theirs[i]]);
        if (found != place.end()) {
            names_[first + AnswerLayout::kHeadSize + found->second] += count;
        }
    }
}

void AnswerTotals::carry(const AnswerTotals& from) {
    if (from.layout_ == layout_) {
        std::ranges::transform(zones_, from.zones_, zones_.begin(), std::plus{});
        std::ranges::transform(names_, from.names_, names_.begin(), std::plus{});
        return;
    }
    const auto& old = *from.layout_;
    std::unordered_map<std::string_view, std::size_t> row_of;
    for (std::size_t i = 0; i < layout_->zones().size(); ++i) {
        row_of.emplace(layout_->zones()[i], i + 1);
    }
    carry_zone(from, 0, 0);
    for (std::size_t i = 0; i < old.zones().size(); ++i) {
        if (const auto found = row_of.find(old.zones()[i]); found != row_of.end()) {
            carry_zone(from, i + 1, found->second);
        }
    }
    carry_zone(from, old.zone_rows() - 1, layout_->zone_rows() - 1);
    row_of.clear();
    for (std::size_t i = 0; i < layout_->names().size(); ++i) {
        row_of.emplace(layout_->names()[i].name, i);
    }
    for (std::size_t i = 0; i < old.names().size(); ++i) {
        if (const auto found = row_of.find(old.names()[i].name); found != row_of.end()) {
            carry_name(from, i, found->second);
        }
    }
}

AnswerCounts::AnswerCounts(std::shared_ptr<const AnswerLayout> layout, std::size_t readers)
    : layout_(std::move(layout)) {
    if (readers > 0) {
        (void)block(readers - 1);
    }
}

AnswerBlock& AnswerCounts::block(std::size_t reader) {
    const std::lock_guard lock(mutex_);
    while (blocks_.size() <= reader) {
        blocks_.push_back(std::make_unique<AnswerBlock>(*layout_));
    }
    return *blocks_[reader];
}

AnswerTotals AnswerCounts::counted() const {
    std::vector<const AnswerBlock*> blocks;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& block : blocks_) {
            blocks.push_back(block.get());
        }
    }
    AnswerTotals totals(layout_);
    for (const auto* block : blocks) {
        totals.add(*block);
    }
    return totals;
}

std::shared_ptr<AnswerCounts> AnswerBook::turn_to(const std::shared_ptr<const policy::Plan>& plan,
                                                  std::size_t readers) {
    const std::lock_guard lock(mutex_);
    if (current_ != nullptr && plan == plan_) {
        return current_;
    }
    auto layout =
        plan ? std::make_shared<const AnswerLayout>(*plan) : std::make_shared<const AnswerLayout>();
    auto carried = std::make_unique<AnswerTotals>(layout);
    if (current_ != nullptr) {
        carried->carry(*carried_);
        retired_.push_back(std::move(current_));
    }
    carried_ = std::move(carried);
    current_ = std::make_shared<AnswerCounts>(std::move(layout), readers);
    plan_ = plan;
    return current_;
}

void AnswerBook::settle() {
    const std::lock_guard lock(mutex_);
    const auto held = std::partition(retired_.begin(), retired_.end(),
                                     [](const auto& counts) { return counts.use_count() > 1; });
    // use_count() orders nothing by itself: what the last one counted came before it let go.
    std::atomic_thread_fence(std::memory_order_acquire);
    for (auto done = held; done != retired_.end(); ++done) {
        carried_->carry((*done)->counted());
    }
    retired_.erase(held, retired_.end());
}

AnswerTotals AnswerBook::totals() const {
    const std::lock_guard lock(mutex_);
    if (current_ == nullptr) {
        return AnswerTotals(std::make_shared<const AnswerLayout>());
    }
    AnswerTotals totals = *carried_;
    totals.carry(current_->counted());
    for (const auto& counts : retired_) {
        totals.carry(counts->counted());
    }
    return totals;
}

}  // namespace steerd::server
