// A file copied into sealed memory: nobody, ourselves included, can shrink or change it any more.
// Thread rule: one owner; blocks on file I/O.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace steerd::geo {

class SealedFile {
  public:
    /// Regular files of 1 octet to 4 GiB; the error is one line without the file's name.
    [[nodiscard]] static base::Result<SealedFile, std::string> read(
        const std::filesystem::path& path);

    SealedFile(SealedFile&& other) noexcept { *this = std::move(other); }

    SealedFile& operator=(SealedFile&& other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(mapping_, other.mapping_);
        std::swap(size_, other.size_);
        return *this;
    }

    ~SealedFile();

    /// A path that opens it while this object lives.
    [[nodiscard]] std::string path() const;

    /// What was read; lives as long as this object.
    [[nodiscard]] std::span<const std::uint8_t> octets() const noexcept {
        return {static_cast<const std::uint8_t*>(mapping_), size_};
    }

    [[nodiscard]] std::string_view text() const noexcept {
        return {static_cast<const char*>(mapping_), size_};
    }

  private:
    SealedFile() = default;

    int fd_ = -1;
    void* mapping_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace steerd::geo
