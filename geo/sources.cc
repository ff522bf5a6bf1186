#include "geo/sources.h"

#include <algorithm>

namespace steerd::geo {

Cursor RowSource::root() const {
    Cursor cursor;
    cursor.high = static_cast<std::uint32_t>(rows_.size());
    return cursor;
}

void RowSource::enter(Cursor& cursor, Bits /*start*/, unsigned depth) const {
    // [low, high) are the rows within this prefix; one that is this prefix stands first.
    if (cursor.low < cursor.high && rows_[cursor.low].length <= depth) {
        cursor.current = rows_[cursor.low].id;
        ++cursor.low;
    }
    cursor.done = cursor.low == cursor.high;
}

void RowSource::split(const Cursor& cursor, Bits middle, Cursor& left, Cursor& right) const {
    const auto at =
        std::lower_bound(rows_.begin() + cursor.low, rows_.begin() + cursor.high, middle,
                         [](const Row& row, Bits wanted) { return row.start < wanted; });
    left = right = cursor;
    left.high = right.low = static_cast<std::uint32_t>(at - rows_.begin());
}

Cursor RangeSource::root() const {
    Cursor cursor;
    cursor.high = static_cast<std::uint32_t>(ranges_.size());
    return cursor;
}

void RangeSource::enter(Cursor& cursor, Bits start, unsigned depth) const {
    // [low, high) are the ranges that overlap this prefix.
    if (cursor.low == cursor.high) {
        cursor.done = true;
        return;
    }
    const CountryTable::Range& range = ranges_[cursor.low];
    if (range.first <= start && range.last >= (start | open_bits(depth))) {
        cursor.current = range.facts;
        cursor.done = true;
    }
}

void RangeSource::split(const Cursor& cursor, Bits middle, Cursor& left, Cursor& right) const {
    const auto at = std::lower_bound(
        ranges_.begin() + cursor.low, ranges_.begin() + cursor.high, middle,
        [](const CountryTable::Range& range, Bits wanted) { return range.first < wanted; });
    left = right = cursor;
    left.high = right.low = static_cast<std::uint32_t>(at - ranges_.begin());
    const bool straddles = right.low > cursor.low && ranges_[right.low - 1].last >= middle;
    right.low -= straddles ? 1 : 0;
}

Cursor DatabaseSource::root() const {
    Cursor cursor;
    cursor.low = database_.root(family_);
    return cursor;
}

void DatabaseSource::enter(Cursor& cursor, Bits /*start*/, unsigned /*depth*/) const {
    if (database_.is_leaf(cursor.low)) {
        cursor.current = database_.facts_of(cursor.low);
        cursor.done = true;
    }
}

void DatabaseSource::split(const Cursor& cursor, Bits /*middle*/, Cursor& left,
                           Cursor& right) const {
    const auto [zero, one] = database_.children(family_, cursor.low);
    left = right = cursor;
    left.low = zero;
    right.low = one;
}

}  // namespace steerd::geo
