// Domain names: octets or text to Name, equality, canonical order, hash.
// RFC 1035 §2.3.4, §3.1, §5.1; RFC 4343 (case); RFC 4034 §6.1 (order); RFC 6672 §2.2
// (substitution). Words of octets are compared and lowered in name_octets.h. Deliberately no IDNA:
// names are octets here. Thread rule: pure functions on values.
#include "dns/name.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "dns/name_octets.h"

namespace steerd::dns {

namespace {

constexpr std::size_t kMaxLabelSize = 63;

void lower_to(std::uint8_t* to, const std::uint8_t* from) noexcept {
    const std::uint64_t word = lower8(load8(from));
    std::memcpy(to, &word, 8);
}

/// Word by word; the last word overlaps the one before where the size is no multiple of 8.
/// REQUIRES: `to` has room for `from` and does not overlap it.
void copy_lowered(std::span<const std::uint8_t> from, std::uint8_t* to) noexcept {
    const std::uint8_t* const octets = from.data();
    const std::size_t size = from.size();
    if (size < 8) {
        for (std::size_t i = 0; i < size; ++i) {
            to[i] = lower(octets[i]);
        }
        return;
    }
    for (std::size_t i = 0; i + 8 < size; i += 8) {
        lower_to(to + i, octets + i);
    }
    lower_to(to + size - 8, octets + size - 8);
}

struct LabelOffsets {
    std::array<std::uint8_t, kMaxLabels> at{};
    std::size_t count = 0;
};

LabelOffsets offsets_of(std::span<const std::uint8_t> octets) noexcept {
    LabelOffsets offsets;
    for (std::size_t i = 0; octets[i] != 0; i += 1U + octets[i]) {
        offsets.at[offsets.count++] = static_cast<std::uint8_t>(i);
    }
    return offsets;
}

std::strong_ordering compare_labels(const std::uint8_t* a, const std::uint8_t* b) noexcept {
    const std::size_t common = std::min(*a, *b);
    for (std::size_t i = 1; i <= common; ++i) {
        if (const auto order = lower(a[i]) <=> lower(b[i]); order != 0) {
            return order;
        }
    }
    return *a <=> *b;
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Builds a name label by label; the first thing wrong is kept as the error.
class TextParser {
  public:
    explicit TextParser(std::string_view text) noexcept : rest_(text) {}

    /// All labels of the text; afterwards size() octets are in octets(), the root not among them.
    [[nodiscard]] const char* run() noexcept {
        while (!rest_.empty()) {
            if (const char* error = label(); error != nullptr) {
                return error;
            }
        }
        return nullptr;
    }

    [[nodiscard]] bool absolute() const noexcept { return absolute_; }

    [[nodiscard]] std::span<const std::uint8_t> octets() const noexcept {
        return {octets_.data(), size_};
    }

  private:
    const char* label() noexcept {
        const std::size_t length_at = size_;
        if (!push(0)) {
            return "name is over 255 octets";
        }
        while (!rest_.empty() && rest_.front() != '.') {
            const int octet = next_octet();
            if (octet < 0) {
                return "bad escape (use \\. or \\DDD with 000..255)";
            }
            if (!push(static_cast<std::uint8_t>(octet))) {
                return "name is over 255 octets";
            }
            if (size_ - length_at - 1 > kMaxLabelSize) {
                return "label is over 63 octets";
            }
        }
        if (size_ == length_at + 1) {
            return "empty label";
        }
        octets_[length_at] = static_cast<std::uint8_t>(size_ - length_at - 1);
        if (!rest_.empty()) {  // the dot; at the very end it makes the name absolute
            rest_.remove_prefix(1);
            absolute_ = rest_.empty();
        }
        return nullptr;
    }

    /// One octet of a label, or -1 for an escape that is none.
    int next_octet() noexcept {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        if (c != '\\') {
            return static_cast<unsigned char>(c);
        }
        if (rest_.empty()) {
            return -1;
        }
        if (!is_digit(rest_.front())) {
            const char escaped = rest_.front();
            rest_.remove_prefix(1);
            return static_cast<unsigned char>(escaped);
        }
        if (rest_.size() < 3 || !is_digit(rest_[1]) || !is_digit(rest_[2])) {
            return -1;
        }
        const int value = (rest_[0] - '0') * 100 + (rest_[1] - '0') * 10 + (rest_[2] - '0');
        rest_.remove_prefix(3);
        return value <= 255 ? value : -1;
    }

    bool push(std::uint8_t octet) noexcept {
        if (size_ == kMaxNameSize - 1) {  // one is left for the root
            return false;
        }
        octets_[size_++] = octet;
        return true;
    }

    std::string_view rest_;
    std::array<std::uint8_t, kMaxNameSize> octets_{};
    std::size_t size_ = 0;
    bool absolute_ = false;
};

/// RFC 1035 §5.1: characters that mean something in a master file are written behind a backslash.
bool needs_backslash(std::uint8_t c) noexcept {
    return std::string_view(".\\;()\"@$").find(static_cast<char>(c)) != std::string_view::npos;
}

void append_escaped(std::string& out, std::uint8_t c) {
    if (needs_backslash(c)) {
        out += '\\';
        out += static_cast<char>(c);
    } else if (c > 0x20 && c < 0x7F) {
        out += static_cast<char>(c);
    } else {
        out += '\\';
        out += static_cast<char>('0' + c / 100);
        out += static_cast<char>('0' + c / 10 % 10);
        out += static_cast<char>('0' + c % 10);
    }
}

}  // namespace

std::optional<NameView> NameView::parse_wire(std::span<const std::uint8_t> data) noexcept {
    const std::size_t end = std::min(data.size(), kMaxNameSize);
    std::size_t i = 0;
    while (i < end) {
        const std::uint8_t length = data[i];
        if (length == 0) {
            return NameView(data.first(i + 1));
        }
        if (length > kMaxLabelSize) {  // a pointer or one of the dead label types (RFC 6891 §5)
            return std::nullopt;
        }
        i += 1U + length;
    }
    return std::nullopt;
}

std::size_t NameView::label_count() const noexcept {
    std::size_t count = 0;
    for (std::size_t i = 0; octets_[i] != 0; i += 1U + octets_[i]) {
        ++count;
    }
    return count;
}

std::span<const std::uint8_t> NameView::first_label() const noexcept {
    return octets_.subspan(is_root() ? 0 : 1, octets_[0]);
}

NameView NameView::parent() const noexcept { return NameView(octets_.subspan(1U + octets_[0])); }

NameView NameView::suffix(std::size_t labels) const noexcept {
    NameView name = *this;
    for (std::size_t count = label_count(); count > labels; --count) {
        name = name.parent();
    }
    return name;
}

std::uint64_t hash(NameView name, std::uint64_t seed) noexcept {
    return hash_octets(name.octets().data(), name.size(), seed);
}

bool NameView::is_wildcard() const noexcept {
    return octets_.size() > 2 && octets_[0] == 1 && octets_[1] == '*';
}

bool NameView::is_at_or_below(NameView ancestor) const noexcept {
    std::size_t i = 0;
    while (octets_.size() - i > ancestor.size()) {
        i += 1U + octets_[i];
    }
    return octets_.size() - i == ancestor.size() &&
           equal_ignoring_case(octets_.data() + i, ancestor.octets_.data(), ancestor.size());
}

std::string NameView::to_text() const {
    if (is_root()) {
        return ".";
    }
    std::string out;
    out.reserve(octets_.size() + 8);
    for (NameView rest = *this; !rest.is_root(); rest = rest.parent()) {
        for (const std::uint8_t c : rest.first_label()) {
            append_escaped(out, c);
        }
        out += '.';
    }
    return out;
}

bool operator==(NameView a, NameView b) noexcept {
    return a.size() == b.size() &&
           equal_ignoring_case(a.octets_.data(), b.octets_.data(), a.size());
}

std::strong_ordering operator<=>(NameView a, NameView b) noexcept {
    const LabelOffsets left = offsets_of(a.octets_);
    const LabelOffsets right = offsets_of(b.octets_);
    const std::size_t common = std::min(left.count, right.count);
    for (std::size_t i = 1; i <= common; ++i) {
        const std::strong_ordering order =
            compare_labels(a.octets_.data() + left.at[left.count - i],
                           b.octets_.data() + right.at[right.count - i]);
        if (order != 0) {
            return order;
        }
    }
    return left.count <=> right.count;
}

Name::Name(NameView view) noexcept : size_(static_cast<std::uint8_t>(view.size())) {
    std::memcpy(octets_.data(), view.octets().data(), view.size());
}

base::Result<Name, std::string> Name::parse(std::string_view text) {
    if (text == "@") {
        return base::Err{std::string("\"@\" needs an origin")};
    }
    return parse(text, NameView());
}

base::Result<Name, std::string> Name::parse(std::string_view text, NameView origin) {
    if (text.empty()) {
        return base::Err{std::string("empty name")};
    }
    if (text == "@") {
        return Name(origin);
    }
    if (text == ".") {
        return Name();
    }
    TextParser parser(text);
    if (const char* error = parser.run(); error != nullptr) {
        return base::Err{std::string(error)};
    }
    const NameView below = parser.absolute() ? NameView() : origin;
    const auto labels = parser.octets();
    if (labels.size() + below.size() > kMaxNameSize) {
        return base::Err{std::string("name is over 255 octets")};
    }
    Name name;
    std::memcpy(name.octets_.data(), labels.data(), labels.size());
    std::memcpy(name.octets_.data() + labels.size(), below.octets().data(), below.size());
    name.size_ = static_cast<std::uint8_t>(labels.size() + below.size());
    return name;
}

std::optional<Name> Name::join(std::span<const std::uint8_t> label, NameView parent) noexcept {
    if (label.empty() || label.size() > kMaxLabelSize ||
        label.size() + 1 + parent.size() > kMaxNameSize) {
        return std::nullopt;
    }
    Name name;
    name.octets_[0] = static_cast<std::uint8_t>(label.size());
    std::memcpy(name.octets_.data() + 1, label.data(), label.size());
    std::memcpy(name.octets_.data() + 1 + label.size(), parent.octets().data(), parent.size());
    name.size_ = static_cast<std::uint8_t>(label.size() + 1 + parent.size());
    return name;
}

std::optional<Name> Name::substitute(NameView name, NameView from, NameView to) noexcept {
    CHECK(name.size() >= from.size());
    const std::size_t kept = name.size() - from.size();
    if (kept + to.size() > kMaxNameSize) {
        return std::nullopt;
    }
    Name result;
    std::memcpy(result.octets_.data(), name.octets().data(), kept);
    std::memcpy(result.octets_.data() + kept, to.octets().data(), to.size());
    result.size_ = static_cast<std::uint8_t>(kept + to.size());
    return result;
}

Name Name::lowered() const noexcept {
    Name name;
    copy_lowered(view().octets(), name.octets_.data());
    name.size_ = size_;
    return name;
}

}  // namespace steerd::dns
