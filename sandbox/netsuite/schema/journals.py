"""Types of journal entries, in the notation of `shapes.py`: clients need them to be constructed; none is kept here."""

GENERAL = """
JournalEntry[internalId:s externalId:s] < Record: postingPeriod:R tranDate:t currency:R exchangeRate:d tranId:s
    reversalDate:t reversalDefer:b createdFrom:R department:R class:R location:R subsidiary:R memo:s toSubsidiary:R
    approved:b createdDate:t lastModifiedDate:t customForm:R lineList:JournalEntryLineList customFieldList:CF
JournalEntryLineList[replaceAll:b=true]: line*:JournalEntryLine
JournalEntryLine: account:R line:l debit:d credit:d taxCode:R memo:s taxRate1:d entity:R grossAmt:d department:R
    class:R location:R eliminate:b tax1Amt:d customFieldList:CF
AdvInterCompanyJournalEntry[internalId:s externalId:s] < Record: postingPeriod:R customForm:R tranDate:t currency:R
    tranId:s reversalDate:t reversalDefer:b createdFrom:R department:R class:R location:R subsidiary:R memo:s
    approved:b createdDate:t lastModifiedDate:t performAutoBalance:b lineList:AdvInterCompanyJournalEntryLineList
    customFieldList:CF
AdvInterCompanyJournalEntryLineList[replaceAll:b=true]: line*:AdvInterCompanyJournalEntryLine
AdvInterCompanyJournalEntryLine: lineSubsidiary:R account:R line:l debit:d credit:d taxCode:R memo:s taxRate1:d
    entity:R dueToFromSubsidiary:R grossAmt:d department:R class:R location:R eliminate:b tax1Amt:d lineFxRate:d
    customFieldList:CF
"""
