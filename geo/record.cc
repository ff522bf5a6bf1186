#include "geo/record.h"

namespace steerd::geo {

namespace {

// Nested deeper than any real record (they have four levels), and safe for the stack.
constexpr unsigned kMaxDepth = 32;

}  // namespace

std::optional<std::uint64_t> RecordReader::big_endian(std::uint32_t at,
                                                      std::uint32_t octets) const noexcept {
    if (octets > 8 || at > data_.size() || data_.size() - at < octets) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    for (std::uint32_t i = 0; i < octets; ++i) {
        value = (value << 8) | data_[at + i];
    }
    return value;
}

std::optional<RecordReader::Item> RecordReader::pointer(std::uint8_t control,
                                                        std::uint32_t at) const noexcept {
    constexpr std::uint32_t kBase[] = {0, 2048, 526336, 0};
    const std::uint32_t width = ((control >> 3) & 3U) + 1;
    const auto low = big_endian(at, width);
    if (!low) {
        return std::nullopt;
    }
    const std::uint64_t high = width == 4 ? 0 : std::uint64_t{control & 7U} << (8 * width);
    const std::uint64_t target = high + *low + kBase[width - 1];
    if (target >= data_.size()) {
        return std::nullopt;
    }
    Item item;
    item.type = Type::Pointer;
    item.target = static_cast<std::uint32_t>(target);
    item.begin = item.end = at + width;
    return item;
}

std::optional<RecordReader::Item> RecordReader::item(std::uint32_t at) noexcept {
    if (budget_ == 0 || at >= data_.size()) {
        broken_ = true;
        return std::nullopt;
    }
    --budget_;
    const std::uint8_t control = data_[at++];
    auto type = static_cast<unsigned>(control >> 5);
    if (type == static_cast<unsigned>(Type::Pointer)) {
        const auto found = pointer(control, at);
        broken_ = broken_ || !found;
        return found;
    }
    if (type == static_cast<unsigned>(Type::Extended)) {
        type = at < data_.size() ? data_[at++] + 7U : 0U;
    }
    Item item;
    item.type = static_cast<Type>(type);
    item.size = control & 31U;
    if (item.size >= 29) {
        constexpr std::uint32_t kBase[] = {29, 285, 65821};
        const std::uint32_t width = item.size - 28;
        const auto more = big_endian(at, width);
        broken_ = broken_ || !more;
        item.size = kBase[width - 1] + static_cast<std::uint32_t>(more.value_or(0));
        at += width;
    }
    // What the size may be, and how many octets follow.
    std::uint32_t limit = UINT32_MAX;
    std::uint32_t payload = item.size;
    switch (type) {
        case 2:
        case 4:
            break;  // text, octets
        case 3:
            limit = 8;
            broken_ |= item.size != 8;
            break;  // double
        case 15:
            limit = 4;
            broken_ |= item.size != 4;
            break;  // float
        case 5:
            limit = 2;
            break;
        case 6:
        case 8:
            limit = 4;
            break;
        case 9:
            limit = 8;
            break;
        case 10:
            limit = 16;
            break;
        case 7:
        case 11:
            payload = 0;
            break;
        case 14:
            limit = 1;
            payload = 0;
            break;
        default:
            broken_ = true;  // containers and end markers have no place in a data section
    }
    if (broken_ || item.size > limit || at > data_.size() || data_.size() - at < payload) {
        broken_ = true;
        return std::nullopt;
    }
    item.begin = at;
    item.end = at + payload;
    return item;
}

std::optional<RecordReader::Item> RecordReader::resolved(std::uint32_t at) noexcept {
    auto found = item(at);
    if (found && found->type == Type::Pointer) {
        found = item(found->target);
        if (found && found->type == Type::Pointer) {
            broken_ = true;
            return std::nullopt;
        }
    }
    return found;
}

std::optional<std::uint32_t> RecordReader::skip(std::uint32_t at) noexcept {
    // Without recursion: what is still to be passed over is a number. It cannot overflow, since
    // each unit of budget adds less than 2^26.
    std::uint64_t left = 1;
    while (left > 0) {
        const auto found = item(at);
        if (!found) {
            return std::nullopt;
        }
        --left;
        left += found->type == Type::Map     ? 2ULL * found->size
                : found->type == Type::Array ? found->size
                                             : 0ULL;
        at = found->end;
    }
    return at;
}

bool RecordReader::walk(std::uint32_t offset, unsigned depth) noexcept {
    const auto found = depth > kMaxDepth ? std::nullopt : resolved(offset);
    if (!found) {
        return false;
    }
    const std::uint64_t members = found->type == Type::Map     ? 2ULL * found->size
                                  : found->type == Type::Array ? found->size
                                                               : 0ULL;
    std::uint32_t at = found->begin;
    for (std::uint64_t i = 0; i < members; ++i) {
        if (!walk(at, depth + 1)) {
            return false;
        }
        const auto next = skip(at);
        if (!next) {
            return false;
        }
        at = *next;
    }
    return true;
}

std::string_view RecordReader::text(const Item& item) const noexcept {
    const auto octets = data_.subspan(item.begin, item.end - item.begin);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): octets of a file as text
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

}  // namespace steerd::geo
