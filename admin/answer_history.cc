// See answer_history.h. Thread rule: any.
#include "admin/answer_history.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

namespace steerd::admin {

void AnswerHistory::add(base::Mono at, const server::AnswerTotals& totals) {
    const auto& names = totals.layout().endpoints();
    auto sums = totals.by_endpoint();
    const std::lock_guard lock(mutex_);
    if (names.size() > kMaxEndpoints) {
        samples_.clear();
        return;
    }
    const bool same = !samples_.empty() && *samples_.back().names == names;
    samples_.push_back(
        {at, same ? samples_.back().names : std::make_shared<const std::vector<std::string>>(names),
         std::move(sums)});
    if (samples_.size() > kKept) {
        samples_.pop_front();
    }
}

std::deque<AnswerHistory::Sample> AnswerHistory::copy() const {
    const std::lock_guard lock(mutex_);
    return samples_;
}

Json AnswerHistory::json(base::Mono now) const {
    const auto samples = copy();
    Json ages = Json::array();
    std::map<std::string_view, std::vector<Json>> columns;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const Sample& sample = samples[i];
        const double age = std::chrono::duration<double>(now - sample.at).count();
        ages.push_back(std::round(age * 1000) / 1000);
        for (std::size_t e = 0; e < sample.totals.size(); ++e) {
            auto& column = columns[(*sample.names)[e]];
            column.resize(samples.size());
            column[i] = sample.totals[e];
        }
    }
    Json endpoints = Json::object();
    for (auto& [name, column] : columns) {
        const bool used = std::ranges::any_of(
            column, [](const Json& total) { return total.is_number() && total != 0; });
        if (used) {
            endpoints[std::string(name)] = std::move(column);
        }
    }
    return {{"ages_s", std::move(ages)}, {"endpoints", std::move(endpoints)}};
}

}  // namespace steerd::admin
