"""Types of searches (reference 3.3), in the notation of `shapes.py`; the criteria and columns this sandbox answers."""

COMMON = """
Address < Record: internalId:s country:Country attention:s addressee:s addrPhone:s addr1:s addr2:s addr3:s
    city:s state:s zip:s addrText:s override:b customFieldList:CF
TransactionSearchBasic < SearchRecordBasic: account:qm amount:qd approvalStatus:qe billingStatus:qb class:qm
    closed:qb createdFrom:qm currency:qm customForm:qm dateCreated:qt department:qm dueDate:qt email:qs
    entity:qm exchangeRate:qd expectedReceiptDate:qt externalId:qm externalIdString:qs fxAmount:qd internalId:qm
    internalIdNumber:ql item:qm lastModifiedDate:qt lineUniqueKey:ql location:qm mainLine:qb mainName:qm
    matchBillToReceipt:qb memo:qs memoMain:qs nameText:qs nextApprover:qm number:ql otherRefNum:qn posting:qb
    postingPeriod:R purchaseOrder:qm quantity:qd quantityBilled:qd quantityShipRecv:qd recordType:qs shipDate:qt
    shipping:qb shipRecvStatus:qb shipRecvStatusLine:qb source:qe status:qe subsidiary:qm taxLine:qb terms:qm
    totalAmount:qd tranDate:qt tranId:qs transactionLineType:qe transactionNumber:qs type:qe unit:qm vendType:qm
    voided:qb
VendorSearchBasic < SearchRecordBasic: accountNumber:qs category:qm currency:qm dateCreated:qt email:qs
    entityId:qs expenseAccount:qm externalId:qm externalIdString:qs internalId:qm internalIdNumber:ql
    isInactive:qb isPerson:qb lastModifiedDate:qt payablesAccount:qm phone:qs subsidiary:qm taxIdNum:qs
    vatRegNumber:qs
ItemSearchBasic < SearchRecordBasic: created:qt displayName:qs externalId:qm externalIdString:qs internalId:qm
    internalIdNumber:ql isInactive:qb itemId:qs lastModifiedDate:qt subsidiary:qm subType:qe type:qe
    unitsType:qm upcCode:qs vendor:qm vendorCode:qs vendorName:qs
AccountSearchBasic < SearchRecordBasic: accountingContext:qm balance:qd cashFlowRateType:qe category1099Misc:qm
    description:qs displayName:qs externalId:qm externalIdString:qs generalRateType:qe internalId:qm
    internalIdNumber:ql isInactive:qb legalName:qs locale:qe localizedLegalName:qs localizedName:qs
    localizedNumber:qs name:qs number:qs parent:qm subsidiary:qm type:qe
DepartmentSearchBasic < SearchRecordBasic: externalId:qm externalIdString:qs internalId:qm internalIdNumber:ql
    isInactive:qb name:qs nameNoHierarchy:qs subsidiary:qm
LocationSearchBasic < SearchRecordBasic: address:qs country:qe externalId:qm internalId:qm internalIdNumber:ql
    isInactive:qb locationType:qe name:qs nameNoHierarchy:qs subsidiary:qm tranprefix:qs
ClassificationSearchBasic < SearchRecordBasic: externalId:qm externalIdString:qs internalId:qm
    internalIdNumber:ql isInactive:qb name:qs nameNoHierarchy:qs subsidiary:qm
SubsidiarySearchBasic < SearchRecordBasic: country:qe currency:qm email:qs externalId:qm internalId:qm
    internalIdNumber:ql isElimination:qb isInactive:qb legalName:qs name:qs nameNoHierarchy:qs
TermSearchBasic < SearchRecordBasic: dateDriven:qb dayDiscountExpires:ql dayOfMonthNetDue:ql daysUntilExpiry:ql
    daysUntilNetDue:ql discountPercent:qd discountPercentDateDriven:qd dueNextMonthIfWithinDays:ql externalId:qm
    externalIdString:qs installment:qb internalId:qm internalIdNumber:ql isInactive:qb name:qs preferred:qb
    recurrenceCount:ql recurrenceFrequency:qe repeatEvery:ql splitEvenly:qb
UnitsTypeSearchBasic < SearchRecordBasic: abbreviation:qs baseUnit:qb conversionRate:qs externalId:qm
    externalIdString:qs internalId:qm internalIdNumber:ql isInActive:qb name:qs pluralAbbreviation:qs
    pluralName:qs unitName:qs
AccountingPeriodSearchBasic < SearchRecordBasic: allLocked:qb allowNonGlChanges:qb apLocked:qb arLocked:qb
    closed:qb closedOnDate:qt endDate:qt internalId:qm internalIdNumber:ql isAdjust:qb isInactive:qb
    isQuarter:qb isYear:qb parent:qm payrollLocked:qb periodName:qs startDate:qt
TransactionSearchRowBasic < SearchRowBasic: account*:cm amount*:cd amountPaid*:cd amountRemaining*:cd
    approvalStatus*:ce class*:cm closed*:cb createdBy*:cm createdFrom*:cm currency*:cm dateCreated*:ct
    department*:cm dueDate*:ct entity*:cm exchangeRate*:cd expectedReceiptDate*:ct externalId*:cm fxAmount*:cd
    internalId*:cm item*:cm lastModifiedDate*:ct line*:cl lineSequenceNumber*:cl lineUniqueKey*:cl location*:cm
    mainLine*:cb mainName*:cs matchBillToReceipt*:cb memo*:cs memoMain*:cs netAmount*:cd otherRefNum*:cn
    postingPeriod*:cm quantity*:cd quantityBilled*:cd quantityShipRecv*:cd quantityUom*:cd rate*:cd
    recordType*:cs status*:ce subsidiary*:cm taxAmount*:cd taxLine*:cb terms*:cm total*:cd tranDate*:ct
    tranId*:cs transactionLineType*:ce transactionNumber*:cs type*:ce unit*:cs
VendorSearchRowBasic < SearchRowBasic: companyName*:cs currency*:cm email*:cs entityId*:cs externalId*:cm
    internalId*:cm isInactive*:cb lastModifiedDate*:ct subsidiary*:cm terms*:cm
ItemSearchRowBasic < SearchRowBasic: displayName*:cs externalId*:cm internalId*:cm isFulfillable*:cb
    isInactive*:cb itemId*:cs type*:ce unitsType*:cm
"""
"""Addresses, and the criteria and columns of each search."""

SALES = """
TransactionSearch < SearchRecord: basic:TransactionSearchBasic createdFromJoin:TransactionSearchBasic
    itemJoin:ItemSearchBasic vendorJoin:VendorSearchBasic
TransactionSearchAdvanced[savedSearchId:s savedSearchScriptId:s] < SearchRecord: criteria:TransactionSearch
    columns:TransactionSearchRow
TransactionSearchRow < SearchRow: basic:TransactionSearchRowBasic
"""
"""The containers of transaction searches, which live here for purchases, too."""
