// The trie against a search through all runs: value and widest prefix, at every border and between.
#include <gtest/gtest.h>

#include <set>

#include "base/rng.h"
#include "policy/trie.h"

namespace steerd::policy {
namespace {

template <typename Key>
Runs<Key> random_runs(base::Rng& rng, std::size_t count) {
    std::set<Key> starts = {0};
    const unsigned crowded = static_cast<unsigned>(rng.below(kKeyBits<Key>));
    while (starts.size() < count) {
        Key key = 0;
        for (unsigned bits = 0; bits < kKeyBits<Key>; bits += 32) {
            key = static_cast<Key>(key << (sizeof(Key) > 4 ? 32 : 0)) ^
                  static_cast<Key>(rng.next() >> 32);
        }
        // Half of them crowd together below some bit.
        starts.insert(rng.below(2) == 0 ? key : static_cast<Key>(key >> crowded));
        if (crowded > kKeyBits<Key> - 12) {
            count = std::min<std::size_t>(count, 64);
        }
    }
    Runs<Key> runs;
    for (const Key start : starts) {
        runs.add(start, static_cast<std::uint32_t>(rng.below(5)));
    }
    return runs;
}

template <typename Key>
void check_at(const Trie<Key>& trie, Key address) {
    const auto& starts = trie.runs().starts;
    std::size_t run = starts.size() - 1;
    while (starts[run] > address) {
        --run;
    }
    const bool last = run + 1 == starts.size();
    unsigned depth = 0;
    for (; depth < kKeyBits<Key>; ++depth) {
        const unsigned host = kKeyBits<Key> - depth;
        const Key mask = host == kKeyBits<Key> ? static_cast<Key>(~Key{0})
                                               : static_cast<Key>((Key{1} << host) - 1);
        const Key first = address & static_cast<Key>(~mask);
        if (first >= starts[run] && (last || (first | mask) < starts[run + 1])) {
            break;
        }
    }
    const auto hit = trie.find(address);
    ASSERT_EQ(hit.value, trie.runs().values[run]);
    ASSERT_EQ(hit.depth, depth);
}

/// Reading ahead comes to the end wherever two steps are enough.
template <typename Key>
void check_ahead(std::size_t count) {
    Runs<Key> runs;
    std::vector<Key> addresses;
    for (std::size_t i = 0; i < count; ++i) {
        const auto start = static_cast<Key>(static_cast<Key>(i) << (kKeyBits<Key> - 13));
        runs.add(start, static_cast<std::uint32_t>(i));
        addresses.push_back(static_cast<Key>(start + 5));
    }
    const Trie<Key> trie(std::move(runs));
    const auto eight = std::span<const Key>(addresses).first(8);
    EXPECT_EQ(trie.read_ahead(eight), count > 32 ? 8U : 0U);
    EXPECT_EQ(trie.read_ahead(std::span<const Key>(addresses).last(3)), count > 32 ? 3U : 0U);
    EXPECT_EQ(trie.read_ahead({}), 0U);
}

template <typename Key>
void check_random(std::uint64_t seed, std::size_t count) {
    base::Rng rng(seed);
    const Trie<Key> trie(random_runs<Key>(rng, count));
    for (int i = 0; i < 300; ++i) {
        const auto& starts = trie.runs().starts;
        const Key border = starts[rng.below(starts.size())];
        check_at<Key>(trie, border);
        check_at<Key>(trie, static_cast<Key>(border - 1));
        check_at<Key>(trie, static_cast<Key>(border + static_cast<Key>(rng.next() >> 40)));
        check_at<Key>(trie, static_cast<Key>(static_cast<Key>(rng.next()) * 0x10001));
    }
}

TEST(TrieReadAhead, ComesToTheRuns) {
    for (const std::size_t count : {16U, 33U, 400U, 8000U}) {
        check_ahead<Key4>(count);
        check_ahead<Key6>(count);
    }
}

TEST(Trie, FindsTheRunAndTheWidestPrefixInIt) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        for (const std::size_t count : {2U, 30U, 33U, 700U, 6000U}) {
            check_random<Key4>(seed, count);
            check_random<Key6>(seed, count);
            ASSERT_FALSE(HasFailure()) << "seed " << seed << ", runs " << count;
        }
    }
}

TEST(Trie, OfOneRunHasDepthZeroEverywhere) {
    Runs<Key4> runs;
    runs.add(0, 7);
    const Trie<Key4> trie(std::move(runs));
    for (const Key4 address : {0U, 1U, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
        EXPECT_EQ(trie.find(address).value, 7U);
        EXPECT_EQ(trie.find(address).depth, 0U);
    }
}

TEST(Trie, TellsSingleAddressesApart) {
    Runs<Key6> runs;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        runs.add(i, i);
    }
    const Trie<Key6> trie(std::move(runs));
    EXPECT_EQ(trie.find(500).value, 500U);
    EXPECT_EQ(trie.find(500).depth, 128U);
    EXPECT_EQ(trie.find(~Key6{0}).value, 999U);
    EXPECT_EQ(trie.find(~Key6{0}).depth, 1U);
}

}  // namespace
}  // namespace steerd::policy
