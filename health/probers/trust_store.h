// The CA certificates that https probes trust, read once for each bundle and again when its file
// changed: parsing the system's bundle costs more than the rest of a check.
// Thread rule: the pool's thread.
#pragma once

#include <ctime>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/result.h"

struct x509_store_st;  // OpenSSL's X509_STORE

namespace steerd::probers {

class TrustStores {
  public:
    TrustStores() = default;
    TrustStores(const TrustStores&) = delete;
    TrustStores& operator=(const TrustStores&) = delete;
    ~TrustStores() = default;

    using Store = std::shared_ptr<x509_store_st>;

    /// The store of a bundle, "" for the system's. The error says why there is none.
    [[nodiscard]] base::Result<Store, std::string> get(const std::string& ca_file);

  private:
    struct Entry {
        Store store;
        timespec changed{};
        off_t size = 0;
    };

    std::unordered_map<std::string, Entry> by_file_;
};

}  // namespace steerd::probers
