// What a large database is read with: records numbered by their place, and equal facts kept once.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "base/rng.h"
#include "geo/intern.h"
#include "geo/record_index.h"

namespace steerd::geo::testing {
namespace {

TEST(RecordIndex, NumbersPlacesInTheirOrder) {
    base::Rng rng(11);
    for (const std::uint64_t octets : {1U, 63U, 64U, 65U, 1000U, 20000U}) {
        RecordIndex index(octets);
        std::set<std::uint32_t> expected;
        for (std::uint64_t i = 0; i < octets / 3 + 1; ++i) {
            const auto offset = static_cast<std::uint32_t>(rng.below(octets));
            index.add(offset);
            expected.insert(offset);
        }
        index.seal();
        EXPECT_EQ(index.count(), expected.size());
        std::vector<std::uint32_t> found;
        EXPECT_TRUE(index.for_each([&](std::uint32_t offset) {
            found.push_back(offset);
            return true;
        }));
        EXPECT_EQ(found, std::vector<std::uint32_t>(expected.begin(), expected.end()));
        for (std::uint64_t offset = 0; offset < octets + 200; ++offset) {
            const auto at = expected.find(static_cast<std::uint32_t>(offset));
            const auto number =
                at == expected.end()
                    ? RecordIndex::kAbsent
                    : static_cast<std::uint32_t>(std::distance(expected.begin(), at));
            ASSERT_EQ(index.number_of(offset), number) << offset << " of " << octets;
        }
    }
}

TEST(RecordIndex, StopsWhereItIsToldTo) {
    RecordIndex index(500);
    index.add(3);
    index.add(400);
    index.seal();
    int calls = 0;
    EXPECT_FALSE(index.for_each([&](std::uint32_t) { return ++calls < 1; }));
    EXPECT_EQ(calls, 1);
}

Facts some_facts(base::Rng& rng) {
    Facts facts;
    if (rng.below(2) == 0) {
        facts.country = CountryCode::from(rng.below(2) == 0 ? "DE" : "ED");
    }
    if (rng.below(2) == 0) {
        facts.continent = ContinentCode::from(rng.below(2) == 0 ? "DE" : "EU");
    }
    if (rng.below(2) == 0) {
        facts.subdivision = SubdivisionCode::from(rng.below(2) == 0 ? "DE-BE" : "DE-B");
    }
    if (rng.below(2) == 0) {
        facts.asn = static_cast<std::uint32_t>(rng.below(50));
    }
    if (rng.below(2) == 0) {
        facts.location =
            Location{static_cast<double>(rng.below(20)), rng.below(2) == 0 ? 0.0 : -0.0};
    }
    return facts;
}

TEST(Interner, KeepsEachValueOnceInTheOrderMet) {
    base::Rng rng(12);
    Interner<Facts, HashFacts> interner;
    std::vector<Facts> expected;
    for (int i = 0; i < 20000; ++i) {
        const Facts facts = some_facts(rng);
        const auto at = std::find(expected.begin(), expected.end(), facts);
        const auto index = static_cast<std::uint32_t>(at - expected.begin());
        if (at == expected.end()) {
            expected.push_back(facts);
        }
        ASSERT_EQ(interner.index_of(facts), index);
    }
    EXPECT_GT(expected.size(), 500U);
    EXPECT_EQ(interner.take(), expected);
}

TEST(Code, PacksIntoADifferentNumberForEach) {
    std::map<std::uint64_t, SubdivisionCode> seen;
    for (const char* text :
         {"A", "AA", "A-", "US-CA", "US-C", "S-CA", "USCA", "US-CAL", "0", "00"}) {
        const auto code = *SubdivisionCode::from(text);
        EXPECT_NE(code.packed(), 0U);
        EXPECT_TRUE(seen.emplace(code.packed(), code).second) << text;
    }
}

}  // namespace
}  // namespace steerd::geo::testing
