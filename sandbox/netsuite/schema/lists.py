"""Types of lists (reference 4), in the notation of `shapes.py`."""

RELATIONSHIPS = """
Vendor[internalId:s externalId:s] < Record: customForm:R entityId:s altName:s isPerson:b phoneticName:s
    salutation:s firstName:s middleName:s lastName:s companyName:s phone:s fax:s email:s url:s defaultAddress:s
    isInactive:b lastModifiedDate:t dateCreated:t category:R title:s printOnCheckAs:s altPhone:s homePhone:s
    mobilePhone:s altEmail:s comments:s globalSubscriptionStatus:GlobalSubscriptionStatus image:R
    emailPreference:EmailPreference subsidiary:R representingSubsidiary:R accountNumber:s legalName:s
    vatRegNumber:s expenseAccount:R payablesAccount:R terms:R incoterm:R creditLimit:d balancePrimary:d
    openingBalance:d openingBalanceDate:t openingBalanceAccount:R balance:d unbilledOrdersPrimary:d bcn:s
    unbilledOrders:d currency:R is1099Eligible:b isJobResourceVend:b laborCost:d purchaseOrderQuantity:d
    purchaseOrderAmount:d purchaseOrderQuantityDiff:d receiptQuantity:d receiptAmount:d receiptQuantityDiff:d
    workCalendar:R taxIdNum:s taxItem:R giveAccess:b sendEmail:b billPay:b isAccountant:b password:s password2:s
    requirePwdChange:b eligibleForCommission:b emailTransactions:b printTransactions:b faxTransactions:b
    defaultTaxReg:R addressbookList:VendorAddressbookList currencyList:VendorCurrencyList predictedDays:l
    predConfidence:d customFieldList:CF
VendorAddressbookList[replaceAll:b=true]: addressbook*:VendorAddressbook
VendorAddressbook: defaultShipping:b defaultBilling:b label:s internalId:s addressbookAddress:Address
VendorCurrencyList[replaceAll:b=true]: vendorCurrency*:VendorCurrency
VendorCurrency: currency:R balance:d unbilledOrders:d
Customer[internalId:s externalId:s] < Record: customForm:R entityId:s altName:s isPerson:b salutation:s firstName:s
    middleName:s lastName:s companyName:s entityStatus:R parent:R phone:s fax:s email:s url:s isInactive:b category:R
    comments:s dateCreated:t subsidiary:R accountNumber:s terms:R creditLimit:d balance:d currency:R
    receivablesAccount:R lastModifiedDate:t customFieldList:CF
Job[internalId:s externalId:s] < Record: customForm:R entityId:s altName:s companyName:s entityStatus:R parent:R
    isInactive:b lastModifiedDate:t dateCreated:t category:R comments:s accountNumber:s currency:R startDate:t
    endDate:t phone:s jobType:R percentComplete:d estimatedCost:d email:s subsidiary:R projectManager:R
    customFieldList:CF
VendorSearch < SearchRecord: basic:VendorSearchBasic accountJoin:AccountSearchBasic
    expAccountJoin:AccountSearchBasic transactionJoin:TransactionSearchBasic
VendorSearchAdvanced[savedSearchId:s savedSearchScriptId:s] < SearchRecord: criteria:VendorSearch
    columns:VendorSearchRow
VendorSearchRow < SearchRow: basic:VendorSearchRowBasic
CustomerSearch < SearchRecord: basic:CustomerSearchBasic
JobSearch < SearchRecord: basic:JobSearchBasic
"""
"""Vendors, customers and projects."""

EMPLOYEES = """
Employee[internalId:s externalId:s] < Record: customForm:R entityId:s salutation:s firstName:s middleName:s lastName:s
    altName:s phone:s email:s isInactive:b lastModifiedDate:t dateCreated:t department:R class:R location:R
    subsidiary:R accountNumber:s comments:s supervisor:R title:s customFieldList:CF
EmployeeSearch < SearchRecord: basic:EmployeeSearchBasic
"""
"""Employees."""

ACCOUNTING = """
Account[internalId:s externalId:s] < Record: acctType:AccountType unitsType:R unit:R acctNumber:s acctName:s
    legalName:s includeChildren:b currency:R exchangeRate:s generalRate:ConsolidatedRate parent:R
    cashFlowRate:ConsolidatedRate billableExpensesAcct:R deferralAcct:R description:s curDocNum:l isInactive:b
    department:R class:R location:R restrictToAccountingBookList:RL inventory:b eliminate:b subsidiaryList:RL
    category1099misc:R openingBalance:d tranDate:t revalue:b customFieldList:CF
Department[internalId:s externalId:s] < Record: name:s includeChildren:b parent:R isInactive:b subsidiaryList:RL
    customFieldList:CF
Classification[internalId:s externalId:s] < Record: name:s includeChildren:b parent:R isInactive:b
    subsidiaryList:RL customFieldList:CF
Location[internalId:s externalId:s] < Record: name:s parent:R includeChildren:b subsidiaryList:RL isInactive:b
    tranPrefix:s mainAddress:Address returnAddress:Address locationType:LocationType timeZone:LocationTimeZone
    latitude:d longitude:d logo:R useBins:b makeInventoryAvailable:b makeInventoryAvailableStore:b
    geolocationMethod:LocationGeolocationMethod autoAssignmentRegionSetting:LocationAutoAssignmentRegionSetting
    nextPickupCutOffTime:t bufferStock:l allowStorePickup:b storePickupBufferStock:d dailyShippingCapacity:l
    totalShippingCapacity:l includeInControlTower:b soPredictedDays:l soPredConfidence:d customFieldList:CF
Subsidiary[internalId:s externalId:s] < Record: name:s parent:R isInactive:b showSubsidiaryName:b url:s logo:R
    tranPrefix:s pageLogo:R state:s country:Country mainAddress:Address shippingAddress:Address
    returnAddress:Address legalName:s isElimination:b fiscalCalendar:R taxFiscalCalendar:R allowPayroll:b
    email:s currency:R purchaseOrderQuantity:d purchaseOrderAmount:d purchaseOrderQuantityDiff:d
    receiptQuantity:d receiptAmount:d receiptQuantityDiff:d fax:s edition:s federalIdNumber:s addrLanguage:s
    state1TaxNumber:s ssnOrTin:s interCoAccount:R checkLayout:R customFieldList:CF
Term[internalId:s externalId:s] < Record: name:s dateDriven:b daysUntilNetDue:l discountPercent:d
    daysUntilExpiry:l dayOfMonthNetDue:l dueNextMonthIfWithinDays:l discountPercentDateDriven:d
    dayDiscountExpires:l preferred:b isInactive:b installment:b recurrenceFrequency:TermRecurrenceFrequency
    recurrenceCount:l repeatEvery:l splitEvenly:b
UnitsType[internalId:s externalId:s] < Record: name:s isInactive:b uomList:UnitsTypeUomList
UnitsTypeUomList[replaceAll:b=true]: uom*:UnitsTypeUom
UnitsTypeUom: internalId:s unitName:s pluralName:s abbreviation:s pluralAbbreviation:s conversionRate:d
    baseUnit:b
Currency[internalId:s externalId:s] < Record: name:s symbol:s isBaseCurrency:b isInactive:b
    overrideCurrencyFormat:b displaySymbol:s symbolPlacement:CurrencySymbolPlacement locale:CurrencyLocale
    formatSample:s exchangeRate:d fxRateUpdateTimezone:CurrencyFxRateUpdateTimezone inclInFxRateUpdates:b
    currencyPrecision:CurrencyCurrencyPrecision
AccountingPeriod[internalId:s] < Record: periodName:s parent:R startDate:t endDate:t fiscalCalendar:R
    closedOnDate:t isAdjust:b isQuarter:b isYear:b closed:b apLocked:b arLocked:b payrollLocked:b allLocked:b
    allowNonGLChanges:b
InventoryItem[internalId:s externalId:s] < Record: createdDate:t lastModifiedDate:t purchaseDescription:s
    expenseAccount:R cogsAccount:R salesDescription:s includeChildren:b incomeAccount:R isTaxable:b
    assetAccount:R matchBillToReceipt:b unitsType:R stockUnit:R purchaseUnit:R saleUnit:R isDropShipItem:b
    stockDescription:s manufacturer:s mpn:s countryOfManufacture:Country cost:d costUnits:s averageCost:d
    leadTime:l lastPurchasePrice:d customForm:R itemId:s upcCode:s displayName:s vendorName:s parent:R
    isInactive:b department:R class:R location:R costingMethod:ItemCostingMethod currency:s
    preferredStockLevel:d purchaseTaxCode:R quantityBackOrdered:d quantityCommitted:d quantityAvailable:d
    quantityOnHand:d quantityOnOrder:d reorderPoint:d vendor:R subsidiaryList:RL customFieldList:CF
NonInventoryPurchaseItem[internalId:s externalId:s] < Record: createdDate:t lastModifiedDate:t
    purchaseDescription:s cost:d expenseAccount:R unitsType:R purchaseUnit:R itemId:s displayName:s
    includeChildren:b vendorName:s parent:R isInactive:b department:R class:R location:R subsidiaryList:RL
    isFulfillable:b currency:s vendor:R customFieldList:CF
ServicePurchaseItem[internalId:s externalId:s] < Record: createdDate:t lastModifiedDate:t purchaseDescription:s
    cost:d includeChildren:b expenseAccount:R unitsType:R purchaseUnit:R itemId:s displayName:s vendorName:s
    parent:R isInactive:b department:R class:R location:R subsidiaryList:RL isFulfillable:b currency:s vendor:R
    customFieldList:CF
ItemSearch < SearchRecord: basic:ItemSearchBasic
ItemSearchAdvanced[savedSearchId:s savedSearchScriptId:s] < SearchRecord: criteria:ItemSearch
    columns:ItemSearchRow
ItemSearchRow < SearchRow: basic:ItemSearchRowBasic
AccountSearch < SearchRecord: basic:AccountSearchBasic
DepartmentSearch < SearchRecord: basic:DepartmentSearchBasic
LocationSearch < SearchRecord: basic:LocationSearchBasic
ClassificationSearch < SearchRecord: basic:ClassificationSearchBasic
SubsidiarySearch < SearchRecord: basic:SubsidiarySearchBasic
TermSearch < SearchRecord: basic:TermSearchBasic
UnitsTypeSearch < SearchRecord: basic:UnitsTypeSearchBasic
AccountingPeriodSearch < SearchRecord: basic:AccountingPeriodSearchBasic
"""
"""Accounts, items, terms, units, currencies, periods, and the lists that documents are coded with."""
