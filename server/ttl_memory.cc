// See ttl_memory.h. Thread rule: one owner.
#include "server/ttl_memory.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace steerd::server {

namespace {

/// Who keeps answers for longer than their TTL and a day is not counted with anywhere.
constexpr base::Duration kBeyondTtl = std::chrono::hours(24);
constexpr std::size_t kMaxEach = 8;

bool is_over(const EarlierTtl& one, base::Wall now) {
    return now - one.until > std::chrono::seconds(one.ttl_s) + kBeyondTtl;
}

/// An older one with no longer a TTL tells nothing more.
void remember(std::vector<EarlierTtl>& list, EarlierTtl newest) {
    std::erase_if(list, [&](const EarlierTtl& one) { return one.ttl_s <= newest.ttl_s; });
    list.insert(list.begin(), newest);
    if (list.size() > kMaxEach) {
        // The last two as one: as long as the older, until the newer.
        list[kMaxEach - 1].ttl_s = list.back().ttl_s;
        list.pop_back();
    }
}

std::size_t slot(policy::TreeId tree) { return static_cast<std::size_t>(tree); }

}  // namespace

std::vector<std::uint32_t> longest_ttls(const policy::Plan& plan) {
    std::vector<std::uint32_t> of_tree(plan.trees.size());
    for (const auto& steered : plan.steered) {
        auto& longest = of_tree[slot(steered.tree)];
        longest = std::max(longest, steered.ttl_s);
    }
    std::vector<std::uint32_t> out(plan.endpoints.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
        for (const policy::TreeId tree : plan.trees_of_endpoint[i]) {
            out[i] = std::max(out[i], of_tree[slot(tree)]);
        }
    }
    return out;
}

void TtlMemory::turn(const policy::Plan& before, const policy::Plan& next, base::Wall now) {
    std::unordered_map<std::string_view, std::uint32_t> ttl_next;
    const auto next_ttls = longest_ttls(next);
    for (std::size_t i = 0; i < next_ttls.size(); ++i) {
        ttl_next.emplace(next.endpoints[i].name, next_ttls[i]);
    }
    const auto ttls = longest_ttls(before);
    for (std::size_t i = 0; i < ttls.size(); ++i) {
        const auto found = ttl_next.find(before.endpoints[i].name);
        if (ttls[i] > (found == ttl_next.end() ? 0 : found->second)) {
            remember(earlier_[before.endpoints[i].name], {ttls[i], now});
        }
    }
    for (auto& [name, list] : earlier_) {
        std::erase_if(list, [&](const EarlierTtl& one) { return is_over(one, now); });
    }
    std::erase_if(earlier_, [](const auto& entry) { return entry.second.empty(); });
}

}  // namespace steerd::server
