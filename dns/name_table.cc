// Name compression. Pointers are only ever made to octets that this table saw written, and always
// point back, so following them in the message being written ends.
// Thread rule: as name_table.h.
#include "dns/name_table.h"

namespace steerd::dns {

namespace {

/// Does the name at `at` of the message, its pointers followed, equal `name`?
bool stands_at(const std::uint8_t* message, std::size_t at, NameView name) noexcept {
    const std::uint8_t* wanted = name.octets().data();
    while (true) {
        while (message[at] >= kPointerBits) {
            at = load_u16(message + at) & (kPointerEnd - 1);
        }
        const std::uint8_t length = message[at];
        if (length != *wanted) {
            return false;
        }
        if (length == 0) {
            return true;
        }
        for (unsigned i = 1; i <= length; ++i) {
            if (lower(message[at + i]) != lower(wanted[i])) {
                return false;
            }
        }
        at += 1U + length;
        wanted += 1U + length;
    }
}

}  // namespace

std::uint32_t NameTable::key_of(NameView name) noexcept {
    const auto octets = name.octets();
    const std::uint8_t length = octets[0];
    return static_cast<std::uint32_t>(octets.size()) << 24 | std::uint32_t{length} << 16 |
           std::uint32_t{lower(octets[1])} << 8 | lower(octets[length]);
}

const NameTable::Entry* NameTable::find(const std::uint8_t* message, NameView name) const noexcept {
    const std::uint32_t key = key_of(name);
    for (std::size_t i = 0; i < count_; ++i) {
        if (entries_[i].key == key && stands_at(message, entries_[i].offset, name)) {
            return &entries_[i];
        }
    }
    return nullptr;
}

void NameTable::add(NameView name, std::size_t offset) noexcept {
    if (count_ < kCapacity && offset < kPointerEnd) {
        entries_[count_++] = {key_of(name), static_cast<std::uint16_t>(offset)};
    }
}

void NameTable::learn(NameView name, std::size_t offset) noexcept {
    const std::size_t end = offset + name.size();
    const std::size_t labels = name.label_count();
    NameView rest = labels > kMostOfOneName ? name.suffix(kMostOfOneName) : name;
    for (; !rest.is_root(); rest = rest.parent()) {
        add(rest, end - rest.size());
    }
}

void NameTable::write(WireWriter& writer, NameView name) noexcept {
    const std::size_t start = writer.size();
    NameView rest = name;
    const Entry* found = nullptr;
    while (!rest.is_root() && (found = find(writer.data(), rest)) == nullptr) {
        rest = rest.parent();
    }
    const std::size_t literal = name.size() - rest.size();
    writer.bytes(name.octets().first(literal));
    if (rest.is_root()) {
        writer.bytes(rest.octets());
    } else {
        writer.u16(static_cast<std::uint16_t>(kPointerBits << 8 | found->offset));
    }
    if (!writer.ok()) {
        return;
    }
    for (NameView label = name; label.size() != rest.size(); label = label.parent()) {
        add(label, start + name.size() - label.size());
    }
}

}  // namespace steerd::dns
