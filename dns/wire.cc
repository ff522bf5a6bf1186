// Names in messages, with their pointers. RFC 1035 §4.1.4.
// Thread rule: as wire.h.
#include "dns/wire.h"

namespace steerd::dns {

void WireReader::skip_name() noexcept {
    const std::size_t start = at_;
    while (ok_) {
        const std::uint8_t length = u8();
        if (length == 0) {
            break;
        }
        if (length >= kPointerBits) {
            const std::size_t target = (length & 0x3FU) << 8 | u8();
            ok_ = ok_ && target < start;
            break;
        }
        if (length > 63 || at_ - start + length >= kMaxNameSize) {
            ok_ = false;
        }
        (void)take(length);
    }
}

Name WireReader::name() noexcept {
    std::array<std::uint8_t, kMaxNameSize> octets;  // filled as far as it is read
    std::size_t size = 0;
    WireReader cursor = *this;
    std::size_t run_start = at_;
    std::size_t hops = 0;  // more than there can be labels serve nothing but to cost time
    while (cursor.ok_) {
        const std::uint8_t length = cursor.u8();
        if (length >= kPointerBits) {
            const std::size_t target = (length & 0x3FU) << 8 | cursor.u8();
            if (!cursor.ok_ || target >= run_start || hops == kMaxLabels) {
                break;
            }
            if (hops++ == 0) {
                at_ = cursor.at_;
            }
            run_start = target;
            cursor.at_ = target;
            continue;
        }
        const auto label = cursor.take(length);
        if (!cursor.ok_ || length > 63 ||
            size + 1 + length + (length == 0 ? 0 : 1) > kMaxNameSize) {
            break;
        }
        octets[size++] = length;
        if (length == 0) {
            if (hops == 0) {
                at_ = cursor.at_;
            }
            return Name(NameView(std::span<const std::uint8_t>(octets.data(), size)));
        }
        std::memcpy(octets.data() + size, label.data(), label.size());
        size += label.size();
    }
    ok_ = false;
    return {};
}

}  // namespace steerd::dns
