// Numbers that Parquet gives to what we read and write of it (parquet.thrift of github.com/apache/parquet-format).
#pragma once

#include <cstdint>
#include <string_view>

namespace redoubt::store::embedded::parquet {

constexpr std::string_view kMagic = "PAR1";

enum Type : int32_t { kInt64 = 2, kByteArray = 6 };
enum Repetition : int32_t { kRequired = 0, kOptional = 1 };
enum ConvertedType : int32_t { kUtf8 = 0 };
enum Codec : int32_t { kZstd = 6 };
enum PageType : int32_t { kDataPage = 0, kDictionaryPage = 2 };
enum Encoding : int32_t {
  kPlain = 0,
  kPlainDictionary = 2,  // what others write for kDictionary
  kRuns = 3,
  kDeltas = 5,
  kSizedTexts = 6,
  kDictionary = 8
};

}  // namespace redoubt::store::embedded::parquet
