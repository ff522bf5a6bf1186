// The one walk over all nodes of a database's tree that lets every later walk go unchecked: records
// in range, no circle, no path longer than an address, and, since nodes may be shared, no more
// leaves than a file of that size can mean (128 nodes can spell 2^128 leaves).
// Each node is visited once, whatever the number of paths to it. Thread rule: one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "geo/mmdb_layout.h"
#include "geo/record_index.h"

namespace steerd::geo {

class TreeCheck {
  public:
    TreeCheck(std::uint32_t node_count, std::uint64_t data_octets)
        : node_count_(node_count),
          data_octets_(data_octets),
          state_(node_count),
          records_(data_octets) {}

    /// Checks what hangs on `root`; an empty string when all is well. `children(node)` gives the
    /// two records of a node.
    template <typename Children>
    std::string run(std::uint32_t root, unsigned bits, const Children& children) {
        if (root >= node_count_) {
            return leaf(root);
        }
        std::vector<Step> stack;
        stack.push_back({root, children(root), 0});
        state_[root].color = Color::Open;
        while (!stack.empty()) {
            Step& top = stack.back();
            if (top.next == 2) {
                close(top);
                stack.pop_back();
                continue;
            }
            const std::uint32_t child = top.next++ == 0 ? top.records.first : top.records.second;
            if (child >= node_count_) {
                if (std::string error = leaf(child); !error.empty()) {
                    return error;
                }
            } else if (child == 0 || state_[child].color == Color::Open) {
                return "its tree runs in a circle";
            } else if (state_[child].color == Color::New) {
                if (stack.size() >= bits) {
                    return "its tree is deeper than an address is long";
                }
                state_[child].color = Color::Open;
                stack.push_back({child, children(child), 0});
            }
        }
        if (state_[root].height > bits) {
            return "its tree is deeper than an address is long";
        }
        const std::uint64_t limit = node_count_ * kLeavesPerNode + kSpareLeaves;
        if (state_[root].leaves > std::min<std::uint64_t>(limit, UINT32_MAX - 1)) {
            return "its tree has too many leaves for its size";
        }
        return {};
    }

    /// From now on the subtree counts as one leaf, which is what an IPv6 walk makes of it.
    void fold(std::uint32_t node) {
        if (node < node_count_) {
            state_[node].leaves = 1;
        }
    }

    /// The places of the data section that any record points to.
    [[nodiscard]] RecordIndex take_records() {
        records_.seal();
        return std::move(records_);
    }

  private:
    static constexpr std::uint64_t kLeavesPerNode = 8;  // a tree has 1, shared subtrees make more
    static constexpr std::uint64_t kSpareLeaves = 1024;
    enum class Color : std::uint8_t { New, Open, Done };

    struct State {
        std::uint32_t leaves = 0;  // stops at its maximum
        std::uint8_t height = 0;
        Color color = Color::New;
    };

    struct Step {
        std::uint32_t node;
        std::pair<std::uint32_t, std::uint32_t> records;
        int next;
    };

    std::string leaf(std::uint32_t record) {
        if (record == node_count_) {
            return {};
        }
        const std::uint64_t behind = std::uint64_t{record} - node_count_;
        if (behind < kMmdbSeparator || behind - kMmdbSeparator >= data_octets_) {
            return "its tree points outside its data";
        }
        records_.add(static_cast<std::uint32_t>(behind - kMmdbSeparator));
        return {};
    }

    void close(const Step& step) {
        State& state = state_[step.node];
        state.color = Color::Done;
        std::uint64_t leaves = 0;
        for (const std::uint32_t child : {step.records.first, step.records.second}) {
            const bool inner = child < node_count_;
            leaves += inner ? state_[child].leaves : 1U;
            const unsigned below = inner ? state_[child].height : 0U;
            // 200 is "too deep" whatever it is exactly; more would not fit.
            state.height = static_cast<std::uint8_t>(
                std::max<unsigned>(state.height, std::min(below + 1, 200U)));
        }
        state.leaves = static_cast<std::uint32_t>(std::min<std::uint64_t>(leaves, UINT32_MAX));
    }

    std::uint32_t node_count_;
    std::uint64_t data_octets_;
    std::vector<State> state_;
    RecordIndex records_;
};

}  // namespace steerd::geo
